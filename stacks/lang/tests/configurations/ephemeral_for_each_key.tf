variable "e" {
  default   = "x"
  ephemeral = true
}
resource "terraform_data" "a" { for_each = { (var.e) = 1 } }
