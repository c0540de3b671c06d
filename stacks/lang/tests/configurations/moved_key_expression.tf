variable "k" { default = "x" }
resource "terraform_data" "a" {}
moved {
  from = terraform_data.z[var.k]
  to   = terraform_data.a
}
