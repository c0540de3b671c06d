# step: -var=s=["a","b"]
# step: -var=s=["b","c"]
# step: -var=s=[]

variable "s" { type = set(string) }
resource "terraform_data" "a" {
  for_each = var.s
  input = { k = each.key, v = each.value }
}
output "m" { value = { for k, v in terraform_data.a : k => v.output.v } }
output "all" { value = values(terraform_data.a)[*].output.k }
output "keys" { value = keys(terraform_data.a) }
