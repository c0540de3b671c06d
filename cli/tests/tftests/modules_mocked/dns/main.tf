resource "terraform_data" "d" { input = "dns" }
output "name" { value = terraform_data.d.output }
