# valid
variable "n" { type = number }
resource "terraform_data" "a" { count = var.n }
resource "terraform_data" "b" { depends_on = [terraform_data.a] }
output "o" {
 value = terraform_data.b.id
 depends_on = [terraform_data.a]
}
