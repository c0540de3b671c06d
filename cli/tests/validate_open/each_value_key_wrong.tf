# stricter: 1
variable "n" { type = map(number) }
resource "terraform_data" "a" {
 for_each = var.n
 input = each.value.x
}
