variable "name" { default = "one" }
variable "tags" {
  type    = map(list(string))
  default = {}
}
module "net" { source = "./net" }
resource "terraform_data" "a" { input = var.name }
resource "terraform_data" "b" { input = var.tags }
output "name" { value = terraform_data.a.output }
output "subnet" { value = module.net.subnet }
