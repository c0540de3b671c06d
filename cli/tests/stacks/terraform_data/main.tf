# step:
# step: -var=n=2
# step: -var=v=two
# step: -var=v=two -var=t=y
# step: -var=v=two -var=t=y -var=n=1
# step: -var=v=two -var=t=y -var=n=1 -replace=terraform_data.plain
# step: -destroy

variable "v" {
  type    = string
  default = "one"
}
variable "t" {
  type    = string
  default = "x"
}
variable "n" {
  type    = number
  default = 2
}
resource "terraform_data" "plain" {}
resource "terraform_data" "a" {
  input            = { list = [1, 2], text = var.v }
  triggers_replace = var.t
}
resource "terraform_data" "b" {
  count = var.n
  input = terraform_data.a.output
}
resource "terraform_data" "c" {
  input            = null
  triggers_replace = terraform_data.a.id
}
resource "terraform_data" "d" {
  for_each = toset(["p", "q r"])
  input    = each.key
}
output "o" {
  value = terraform_data.a.output.text
}
