# step:
# step: -var=v=2

variable "v" { default = 1 }
locals {
  a = { x = var.v, y = [1, 2, { z = null }] }
  b = merge(local.a, { w = toset(["b", "a"]) })
  c = [for i in range(3) : i * 2 if i != 1]
}
resource "terraform_data" "a" { input = local.b }
resource "terraform_data" "b" { input = terraform_data.a.output.y[2] }
output "b" { value = local.b }
output "c" { value = local.c }
output "s" { value = local.b.w }
