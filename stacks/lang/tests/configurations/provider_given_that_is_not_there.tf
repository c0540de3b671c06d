terraform {
  required_providers {
    terraform = {
      source = "terraform.io/builtin/terraform"
    }
  }
}
module "m" {
  source = "./m"
  providers = {
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
