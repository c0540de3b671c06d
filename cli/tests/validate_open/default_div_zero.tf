# valid
variable "z" { default = 0 }
output "o" { value = 1 / var.z }
