# step: -var-file=a.tfvars
# step: -var-file=b.tfvars
# step: -var-file=a.tfvars -var=b=3

variable "a" { type = string }
variable "b" {
 type = number
 default = 0
}
variable "c" { 
 type = map(list(string)) 
 default = {}
}
resource "terraform_data" "a" { input = [var.a, var.b, var.c] }
output "o" { value = terraform_data.a.output }
