# step:
# step: -var=b=[7]
variable "a" { default = "5" }
variable "b" {
  type    = string
  default = "x"
}
output "a" { value = var.a }
output "b" { value = [var.b] }
