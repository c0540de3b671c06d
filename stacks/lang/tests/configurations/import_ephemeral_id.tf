# weir refuses: the id would be kept in the plan
variable "e" {
  default   = "x"
  ephemeral = true
}
resource "terraform_data" "a" {}
import {
  to = terraform_data.a
  id = var.e
}
