module "m" { source = "./m" }
resource "terraform_data" "b" {
  lifecycle {
    replace_triggered_by = [module.m]
  }
}
# file: m/main.tf
resource "terraform_data" "a" {}
