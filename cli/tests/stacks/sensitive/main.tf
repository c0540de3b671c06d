# step: -var=p=hush
# step: -var=p=other
# Terraform differs: Terraform shows sensitive values in the JSON of a plan, weir never does.

variable "p" { sensitive = true }
variable "o" {
  type = object({ a = string, b = list(string) })
  default = { a = "x", b = ["y"] }
  sensitive = true
}
resource "terraform_data" "a" { input = { k = var.p, plain = "q" } }
resource "terraform_data" "b" { input = "pre ${var.p}" }
resource "terraform_data" "c" { input = terraform_data.a.output.plain }
resource "terraform_data" "d" { input = nonsensitive(sha1(var.p)) }
resource "terraform_data" "e" { input = [var.o, { z = var.o.a }] }
resource "terraform_data" "f" { triggers_replace = var.p }
output "a" { 
 value = terraform_data.a.output 
 sensitive = true
}
output "p" { 
 value = var.p 
 sensitive = true
}
