# valid
resource "terraform_data" "a" { count = 0 }
output "o" { value = terraform_data.a[0].id }
