provider "terraform" {
  alias = "x"
}
resource "terraform_data" "a" {}
import {
  to       = terraform_data.a
  id       = "x"
  provider = terraform.x
}
