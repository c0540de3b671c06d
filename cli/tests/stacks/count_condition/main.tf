# step:
# step: -var=k=1
# Terraform differs: Terraform knows of some unknown values that they are not null.

variable "k" { default = 0 }
resource "terraform_data" "a" {
  count = var.k + 1
  input = var.k
}
resource "terraform_data" "cond" {
  count = var.k == 0 ? 1 : 0
}
output "c" { value = one(terraform_data.cond[*].id) == null }
output "when" { value = var.k == 0 ? terraform_data.cond[0].output : "none" }
