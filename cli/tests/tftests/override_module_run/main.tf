module "m" {
  source   = "./m"
  for_each = toset(["x", "y"])
  n        = each.key
}
output "all" { value = { for k, m in module.m : k => m.o } }
