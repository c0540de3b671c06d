variable "name" { type = string }
variable "size" { 
 type = number 
 default = null 
}
resource "terraform_data" "a" { input = var.name }
resource "terraform_data" "b" {
  for_each = toset(["p","q"])
  input = [terraform_data.a.id, each.key, var.size]
}
output "out" { value = terraform_data.b["p"].output[1] }
output "size" { value = var.size }
