# step:
variable "a" { default = "x" }
resource "terraform_data" "n" { input = terraform_data.j.input }
module "m" {
  source = "./m"
  a      = local.fromjson
}
output "o" { value = module.m.o }
