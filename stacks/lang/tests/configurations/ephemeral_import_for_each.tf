# weir refuses: Terraform forgets that an element is ephemeral
variable "e" {
  default   = "x"
  ephemeral = true
}
import {
  for_each = { a = var.e }
  to = terraform_data.a[each.key]
  id = each.value
}
resource "terraform_data" "a" { for_each = toset(["a"]) }
