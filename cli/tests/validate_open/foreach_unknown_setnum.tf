# stricter: 1
variable "l" { type = set(number) }
resource "terraform_data" "a" { for_each = var.l }
