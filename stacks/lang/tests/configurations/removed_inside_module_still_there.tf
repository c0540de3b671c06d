module "m" { source = "./m" }
removed {
  from = module.m.terraform_data.here
}
# file: m/main.tf
resource "terraform_data" "here" {}
