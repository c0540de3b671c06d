# step:
# step: -var=v=null

variable "v" { 
  type = string
  default = "x" 
}
resource "terraform_data" "a" { 
 input = var.v 
 triggers_replace = var.v
}
resource "terraform_data" "b" { input = { a = null, b = [null, 1], c = { d = null } } }
resource "terraform_data" "c" { input = [] }
resource "terraform_data" "d" { input = {} }
resource "terraform_data" "e" { input = "" }
output "v" { value = var.v }
output "b" { value = terraform_data.b.output }
output "n" { value = null }
