# step: -var=s=["a.b","c-d","é","x\"y","$${z}","0"]
# Terraform differs: Terraform writes "$${" in addresses, weir "${".

variable "s" { type = set(string) }
resource "terraform_data" "a" {
  for_each = var.s
  input = each.key
}
output "o" { value = { for k, v in terraform_data.a : k => v.output } }
