resource "terraform_data" "a" {}
resource "terraform_data" "b" {
  for_each = toset(["x"])
}
import {
  for_each = toset([terraform_data.a.id])
  to       = terraform_data.b[each.key]
  id       = "x"
}
