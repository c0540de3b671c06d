# step:
# Terraform differs: an output that will be sensitive is planned as one here.
variable "secret" {
  default   = "hush"
  sensitive = true
}
locals { users = [{ name = "a", key = var.secret }, { name = "b", key = "open" }] }
resource "terraform_data" "r" { input = local.users }
resource "terraform_data" "names" { input = [for u in local.users : u.name] }
resource "terraform_data" "keys" { input = { for u in local.users : u.name => u.key } }
output "names" { value = local.users[*].name }
output "keys" {
  value     = local.users[*].key
  sensitive = true
}
