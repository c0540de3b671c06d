# step:
# step: -var=x=1

variable "x" { default = 0 }
resource "terraform_data" "a" { input = terraform_data.b }
resource "terraform_data" "b" { input = var.x }
output "o" { value = terraform_data.a.output }
