variable "a" { type = number }
variable "b" {
  type    = list(number)
  default = [1]
}
output "b" { value = var.b }
