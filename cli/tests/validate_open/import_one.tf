# valid
variable "n" { type = set(string) }
resource "terraform_data" "a" { for_each = var.n }
import {
 to = terraform_data.a["q"]
 id = "x"
}
