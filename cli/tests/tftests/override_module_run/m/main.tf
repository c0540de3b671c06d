variable "n" { type = string }
resource "terraform_data" "inner" { input = var.n }
output "o" { value = terraform_data.inner.output }
output "p" { value = 1 }
