resource "terraform_data" "a" { input = "a" }
resource "terraform_data" "many" {
  count = 2
  input = count.index
}
module "m" {
  source = "./m"
}
output "a" { value = terraform_data.a.output }
output "many" { value = terraform_data.many[*].output }
output "m" { value = module.m.o }
