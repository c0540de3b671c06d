variable "cfg" {
  type = object({ name = string, list = list(object({ k = number, opt = optional(number, 9) })), m = map(set(string)), none = optional(object({ a = optional(string, "zz") }), {}) })
}
module "b" {
  source = "./b"
  for_each = { for l in var.cfg.list : l.k => l }
  item = each.value
  name = var.cfg.name
}
output "o" { value = { cfg = var.cfg, b = { for k, v in module.b : k => v.o } } }
