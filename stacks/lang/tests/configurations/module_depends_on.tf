resource "terraform_data" "a" {
  input = 1
}
module "m" {
  source     = "./m"
  depends_on = [terraform_data.a]
}
module "n" {
  source     = "./m"
  depends_on = [module.m]
}
output "m" { value = [module.m.b, module.n.b] }
# file: m/main.tf
resource "terraform_data" "b" {
  input = 2
}
output "b" { value = terraform_data.b.output }
