# stricter: 1
variable "l" { type = map(object({ a = string })) }
resource "terraform_data" "a" {
 for_each = var.l
 input = each.value.b
}
