resource "terraform_data" "a" {}
moved {
  from = terraform_data.z
}
