variable "a" {}
variable "b" { default = 10 }
output "sum" { value = var.a + var.b }
