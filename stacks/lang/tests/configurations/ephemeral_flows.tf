variable "e" {
  default   = "x"
  ephemeral = true
}
locals {
  l = { a = var.e, b = [var.e] }
}
module "m" {
  source = "./m"
  e      = local.l.a
}
resource "terraform_data" "a" {
  input = ephemeralasnull(local.l)
  lifecycle {
    precondition {
      condition     = var.e == "x"
      error_message = "no"
    }
  }
}
output "o" { value = ephemeralasnull(module.m.out) }
# file: m/main.tf
variable "e" {
  ephemeral = true
}
output "out" {
  value     = "${var.e}-out"
  ephemeral = true
}
