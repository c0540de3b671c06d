resource "terraform_data" "each" {
  for_each = toset(["a", "b"])
}
import {
  for_each = toset(["a", "b"])
  to       = terraform_data.each[each.value]
  id       = "id-${each.key}"
}
