# step: -var=s=["x","y"]
# step: -var=s=["x"]

variable "s" { type = set(string) }
module "m" {
  source = "./m"
  for_each = var.s
  name = each.key
}
module "n" {
  source = "./m"
  name = join(",", [for k, v in module.m : v.id])
  depends_on = [module.m]
}
output "m" { value = { for k, m in module.m : k => m.name } }
