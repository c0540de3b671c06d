resource "terraform_data" "a" {}
module "c" {
  source = "./m"
  count  = terraform_data.a.id == "x" ? 1 : 2
}
# file: m/main.tf
output "n" { value = 1 }
