# step: !
# step: -var=a=1
variable "a" {}
output "o" { value = var.a }
