# valid
variable "l" { type = map(object({ a = string })) }
resource "terraform_data" "a" {
 for_each = var.l
 input = each.value.a
}
output "o" { value = terraform_data.a["x"].id }
