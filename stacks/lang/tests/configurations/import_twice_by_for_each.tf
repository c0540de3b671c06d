# weir refuses: one object becomes one instance; Terraform takes one of the two
resource "terraform_data" "a" {}
import {
  for_each = toset(["a", "b"])
  to       = terraform_data.a
  id       = each.key
}
