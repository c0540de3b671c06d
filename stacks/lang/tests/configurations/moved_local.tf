resource "terraform_data" "a" {}
moved {
  from = local.z
  to   = terraform_data.a
}
