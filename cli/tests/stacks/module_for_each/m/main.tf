variable "name" { }
resource "terraform_data" "a" { input = upper(var.name) }
output "id" { value = terraform_data.a.id }
output "name" { value = terraform_data.a.output }
