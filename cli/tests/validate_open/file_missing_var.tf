# valid
variable "f" { default = "nope.txt" }
output "o" { value = file(var.f) }
