variable "name" { default = "n" }
locals { id = "${var.name}-1" }
resource "terraform_data" "a" {
  input = local.id
}
import {
  to = terraform_data.a
  id = local.id
}
