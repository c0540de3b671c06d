# step:
# step: -var=v=2

variable "v" { default = 1 }
resource "terraform_data" "a" { input = var.v }
resource "terraform_data" "b" {
  input = "const"
  depends_on = [terraform_data.a]
}
resource "terraform_data" "c" {
  input = terraform_data.b.output
  depends_on = [terraform_data.a, terraform_data.b]
}
output "x" { 
 value = terraform_data.c.id 
 depends_on = [terraform_data.a]
}
