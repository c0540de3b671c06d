variable "e" {
  default = 1
  ephemeral = false
}
resource "terraform_data" "a" { input = var.e }
