module "m" { source = "./m" }
removed {
  from = module.m
}
# file: m/main.tf
resource "terraform_data" "a" {}
