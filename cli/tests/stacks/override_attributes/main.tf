# step:
# step: -var=n=3
variable "n" {
  type    = number
  default = 1
}
variable "text" {
  type      = string
  default   = "base"
  sensitive = true
}
locals {
  x = "base"
  y = "base ${var.n}"
}
resource "terraform_data" "a" {
  input            = { v = local.x }
  triggers_replace = [local.y]
}
resource "terraform_data" "b" {
  count = 2
  input = count.index
}
module "m" {
  source = "./m"
  a      = 1
  b      = 2
}
output "o" { value = var.text }
output "m" { value = module.m.sum }
