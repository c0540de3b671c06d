# step:
# step: -var=a=cli -var-file=one.tfvars
# step: -var-file=one.tfvars -var=a=cli
# step: -var-file=one.tfvars -var-file=two.tfvars.json -var=b=cli
variable "a" { default = "default" }
variable "b" { default = "default" }
variable "c" { default = "default" }
variable "d" { default = "default" }
variable "e" { default = "default" }
output "o" { value = [var.a, var.b, var.c, var.d, var.e] }
