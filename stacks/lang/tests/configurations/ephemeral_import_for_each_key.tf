variable "e" {
  default   = "x"
  ephemeral = true
}
import {
  for_each = toset([var.e])
  to = terraform_data.a[each.key]
  id = "i"
}
resource "terraform_data" "a" { for_each = toset(["x"]) }
