variable "item" { type = any }
variable "name" { type = string }
resource "terraform_data" "x" { input = merge(var.item, { name = var.name }) }
output "o" { value = terraform_data.x.output }
