# step: -var=s=["a","b"]
# step: -var=s=["b"]

variable "s" { type = set(string) }
resource "terraform_data" "a" {
  for_each = var.s
  input = each.key
}
resource "terraform_data" "b" {
  for_each = terraform_data.a
  input = each.value.id
}
module "m" {
  for_each = terraform_data.b
  source = "./m"
  x = each.value.output
}
output "m" { value = { for k, v in module.m : k => v.y == "" } }
