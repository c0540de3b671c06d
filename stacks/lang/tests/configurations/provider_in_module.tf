module "m" {
  source = "./m"
}
# file: m/main.tf
provider "terraform" {
  alias = "own"
}
resource "terraform_data" "a" {
  provider = terraform.own
}
