# invalid: 1
variable "n" { type = number }
resource "terraform_data" "a" { count = var.n }
output "o" { value = terraform_data.a[0].nope }
