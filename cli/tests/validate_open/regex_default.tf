# valid
variable "x" { default = "abc" }
output "o" { value = regex("[0-9]+", var.x) }
