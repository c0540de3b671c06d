variable "text" {
  default   = "over"
  sensitive = false
}
locals {
  x = "over ${local.y}"
}
resource "terraform_data" "a" {
  input = { w = local.x }
}
resource "terraform_data" "b" {
  count = var.n
}
module "m" {
  b = 5
}
output "o" {
  value       = [var.text, local.x]
  description = "changed"
}
