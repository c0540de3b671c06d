# invalid: 1
variable "n" { type = number }
resource "terraform_data" "a" {
 count = var.n
 input = 1 + "a"
}
