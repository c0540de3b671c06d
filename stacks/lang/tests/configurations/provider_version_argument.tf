provider "terraform" {
  count = 1
}
resource "terraform_data" "a" {}
