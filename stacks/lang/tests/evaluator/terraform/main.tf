terraform {
  required_version = ">= 1.5"
}

variable "names" {
  type    = list(string)
  default = ["b", "a", "c"]
}
variable "settings" {
  type = map(object({
    size = optional(number, 3)
    tags = optional(map(string), { from = "default" })
  }))
}
variable "enabled" { default = true }
variable "overridden" {}

locals {
  by_name = { for n in var.names : n => upper(n) }
  sizes   = { for k, s in var.settings : k => s.size }
  total   = sum(values(local.sizes))
  first   = terraform_data.counted[0].output
}

resource "terraform_data" "single" {
  input = { total = local.total, names = var.names, over = var.overridden }
}
resource "terraform_data" "counted" {
  count = length(var.names)
  input = "${count.index}:${var.names[count.index]}"
}
resource "terraform_data" "each" {
  for_each = local.by_name
  input    = [each.key, each.value, terraform_data.counted[index(var.names, each.key)].output]
}
resource "terraform_data" "set" {
  for_each = toset([for s in terraform_data.counted : split(":", s.input)[1] if s.input != "0:b"])
  input    = each.value
}
resource "terraform_data" "maybe" {
  count = var.enabled ? 1 : 0
  input = one(terraform_data.none[*].output)
}
resource "terraform_data" "none" {
  count = var.enabled ? 0 : 1
  input = "never"
}

module "leaf" {
  source   = "./modules/leaf"
  for_each = var.settings
  name     = each.key
  tags     = each.value.tags
  size     = each.value.size > 3 ? each.value.size : null
}
module "tree" {
  source     = "./modules/tree"
  count      = 2
  depth      = count.index
  depends_on = [terraform_data.single]
}

output "single" { value = terraform_data.single.output }
output "counted" { value = terraform_data.counted[*].output }
output "legacy" { value = terraform_data.counted.*.output }
output "each" { value = { for k, d in terraform_data.each : k => d.output } }
output "each_keys" { value = keys(terraform_data.each) }
output "set" { value = sort([for d in terraform_data.set : d.output]) }
output "maybe" { value = terraform_data.maybe[0].output == null }
output "none" { value = length(terraform_data.none) }
output "first" { value = local.first }
output "leaf" { value = { for k, m in module.leaf : k => m.summary } }
output "one_leaf" { value = module.leaf["large"].summary }
output "trees" { value = module.tree[*].all }
output "path" { value = [path.module, module.tree[0].path] }
output "workspace" { value = terraform.workspace }
output "secret" {
  value     = sensitive("s")
  sensitive = true
}
