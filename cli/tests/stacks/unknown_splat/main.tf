# step:
# step: -var=n=3

# A splat over what is not known yet has as many elements as are sure.
variable "n" {
  default = 2
}
resource "terraform_data" "a" {
  count = var.n
  input = "x"
}
resource "terraform_data" "each" {
  count = length(terraform_data.a[0].id[*])
  input = terraform_data.a[*].id
}
resource "terraform_data" "last" {
  input = one(terraform_data.each[*].output)
}
output "one" {
  value = terraform_data.a[0].id[*]
}
output "length" {
  value = length(terraform_data.a[0].id[*])
}
output "open" {
  value = length(terraform_data.a[0].output[*])
}
output "all" {
  value = terraform_data.a[*].id
}
output "known" {
  value = terraform_data.a[*].input
}
output "any" {
  value = anytrue([for id in terraform_data.a[*].id : id == null])
}
output "nested" {
  value = length(flatten([for x in terraform_data.a : x.id[*]]))
}
output "whole" {
  value = one(terraform_data.last[*].id) != null
}
