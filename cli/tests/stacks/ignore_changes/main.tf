# step:
# step: -var=v=2
# step: -var=v=2 -var=w=2

variable "v" { default = 1 }
variable "w" { default = 1 }
resource "terraform_data" "a" {
  input = { a = var.v, b = var.w }
  triggers_replace = var.v
  lifecycle { ignore_changes = [triggers_replace, input.a] }
}
resource "terraform_data" "b" {
  input = var.v
  lifecycle { ignore_changes = all }
}
resource "terraform_data" "c" {
  input = [var.v, var.w]
  lifecycle { ignore_changes = [input[0]] }
}
resource "terraform_data" "d" {
  input = terraform_data.b.output
}
output "b" { value = terraform_data.b.output }
