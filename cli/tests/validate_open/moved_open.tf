# valid
variable "n" { type = set(string) }
resource "terraform_data" "a" { for_each = var.n }
moved {
 from = terraform_data.b
 to = terraform_data.a["q"]
}
