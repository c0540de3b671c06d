# valid
variable "x" { default = ["a"] }
output "o" { value = var.x[5] }
