# valid
variable "l" {}
resource "terraform_data" "a" {
 for_each = var.l
 input = each.value.b
}
