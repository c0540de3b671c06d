resource "terraform_data" "b" {
  provider = terraform.other
}
