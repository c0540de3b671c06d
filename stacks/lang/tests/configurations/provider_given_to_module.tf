terraform {
  required_providers {
    terraform = {
      source = "terraform.io/builtin/terraform"
    }
  }
}
provider "terraform" {
  alias = "outer"
}
module "m" {
  source = "./m"
  count  = 2
  providers = {
    terraform       = terraform
    terraform.inner = terraform.outer
  }
}
# file: m/main.tf
terraform {
  required_providers {
    terraform = {
      source                = "terraform.io/builtin/terraform"
      configuration_aliases = [terraform.inner]
    }
  }
}
resource "terraform_data" "a" {
  provider = terraform.inner
}
resource "terraform_data" "b" {}
