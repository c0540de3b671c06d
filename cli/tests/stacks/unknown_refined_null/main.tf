# step:
# step: -var=input=b
# step: -var=input=b -var=again=2

# An id that is not known yet is known not to be null: what only asks that is known to the plan,
# and to the apply of a plan in a file.
variable "input" {
  default = "a"
}
variable "again" {
  default = "1"
}
resource "terraform_data" "a" {
  input            = var.input
  triggers_replace = var.again
}
resource "terraform_data" "secret" {
  input            = var.input
  triggers_replace = var.again
}
resource "terraform_data" "b" {
  count = terraform_data.a.id != null ? 2 : 0
  input = terraform_data.a.id == null ? "none" : "some"
}
resource "terraform_data" "c" {
  for_each = toset(terraform_data.secret.id != null ? ["x"] : [])
  input    = terraform_data.b[1].id == null
}
module "m" {
  source = "./m"
  id     = terraform_data.a.id
}
output "id" {
  value = terraform_data.a.id != null
}
output "instance" {
  value = terraform_data.b[0] != null
}
output "ids" {
  value = [for x in terraform_data.b : x.id != null]
}
output "output" {
  value = terraform_data.a.output == null
}
output "coalesced" {
  value = coalesce(terraform_data.a.id, "x") == null
}
output "chosen" {
  value = (terraform_data.a.id == "" ? "x" : "y") == null
}
output "looked_up" {
  value = lookup({ x = terraform_data.a.id }, "x", null) != null
}
output "tried" {
  value = try(terraform_data.a.id, null) != null
}
output "within" {
  value = module.m.given
}
