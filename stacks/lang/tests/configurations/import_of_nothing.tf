resource "terraform_data" "a" {}
import {
  for_each = {}
  to       = terraform_data.a
  id       = each.value
}
