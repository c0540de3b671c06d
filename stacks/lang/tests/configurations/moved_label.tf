resource "terraform_data" "a" {}
moved "x" {
  from = terraform_data.z
  to   = terraform_data.a
}
