variable "e" {
  default = null
  ephemeral = true
}
resource "terraform_data" "a" { input = var.e == null }
