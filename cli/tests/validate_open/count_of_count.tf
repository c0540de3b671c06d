# valid
variable "n" { type = number }
resource "terraform_data" "a" { count = var.n }
resource "terraform_data" "b" {
 count = length(terraform_data.a)
 input = terraform_data.a[count.index].id
}
output "o" { value = { for x in terraform_data.b : x.id => x.input } }
