# valid
variable "n" { default = true }
resource "terraform_data" "a" { count = var.n ? 1 : 0 }
output "o" { value = one(terraform_data.a[*].id) }
