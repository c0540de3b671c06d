# stricter: 1
variable "n" {
 type = number
 sensitive = true
}
resource "terraform_data" "a" { count = var.n }
