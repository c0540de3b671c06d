terraform { 
  required_providers {
    terraform = {
      source = "terraform.io/builtin/terraform" 
    }
  }
}
provider "terraform" { alias = "west" }
module "net" {
  source = "./net"
  count  = 2
}
module "one" { source = "./net" }
resource "terraform_data" "w" { provider = terraform.west }
resource "terraform_data" "e" {}
output "subnets" { value = module.net[*].subnet }
output "one" { value = module.one.subnet }
output "deep" { value = module.one.deep }
