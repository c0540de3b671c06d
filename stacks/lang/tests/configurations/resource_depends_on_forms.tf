resource "terraform_data" "a" {
  count = 2
}
module "m" { source = "./m" }
resource "terraform_data" "b" {
  depends_on = [terraform_data.a, terraform_data.a[0], module.m]
}
# file: m/main.tf
resource "terraform_data" "x" {}
