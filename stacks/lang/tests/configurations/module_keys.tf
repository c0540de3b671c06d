module "c" {
  source = "./m"
  count  = 2
  n      = count.index
}
module "e" {
  source   = "./m"
  for_each = { x = 10, y = 20 }
  n        = each.value
}
output "c" { value = module.c[*].n }
output "e" { value = { for k, m in module.e : k => m.n } }
output "one" { value = module.e["x"].n + module.c[1].n }
output "all" { value = [length(module.c), keys(module.e)] }
# file: m/main.tf
variable "n" {}
resource "terraform_data" "a" {
  input = var.n
}
output "n" { value = var.n }
