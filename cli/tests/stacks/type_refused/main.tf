# step: !
variable "l" {
  type    = list(number)
  default = [1, "x"]
}
output "l" { value = var.l }
