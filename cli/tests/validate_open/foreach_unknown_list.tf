# invalid: 1
variable "l" { type = list(string) }
resource "terraform_data" "a" { for_each = var.l }
