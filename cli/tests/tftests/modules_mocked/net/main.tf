resource "terraform_data" "n" { input = "real" }
module "dns" { source = "../dns" }
output "subnet" { value = terraform_data.n.output }
output "deep" { value = module.dns.name }
