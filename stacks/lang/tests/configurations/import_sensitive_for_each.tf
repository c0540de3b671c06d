# weir refuses: the keys are part of addresses, which are shown
variable "s" {
  default   = ["x"]
  sensitive = true
}
resource "terraform_data" "b" {
  for_each = toset(["x"])
}
import {
  for_each = toset(var.s)
  to       = terraform_data.b[each.key]
  id       = "x"
}
