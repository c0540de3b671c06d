resource "terraform_data" "b" {
  for_each = toset(["x"])
}
import {
  for_each = ["x"]
  to       = terraform_data.b[each.key]
  id       = "x"
}
