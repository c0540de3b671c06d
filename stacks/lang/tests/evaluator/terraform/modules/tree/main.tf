variable "depth" {}
module "inner" {
  source = "../leaf"
  count  = var.depth
  name   = "inner-${count.index}"
  tags   = {}
  size   = 5
}
output "all" { value = [for m in module.inner : m.summary.name] }
output "path" { value = path.module }
