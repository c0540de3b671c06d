# valid
variable "n" { type = set(string) }
resource "terraform_data" "a" { for_each = var.n }
import {
 for_each = var.n
 to = terraform_data.a[each.key]
 id = each.value
}
