provider "terraform" {}
provider "terraform" {
  alias = "other"
}
resource "terraform_data" "a" {}
resource "terraform_data" "b" {
  provider = terraform.other
}
