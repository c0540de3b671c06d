# valid
variable "n" { type = set(string) }
resource "terraform_data" "a" { for_each = var.n }
resource "terraform_data" "b" {
 for_each = terraform_data.a
 input = each.value.id
}
