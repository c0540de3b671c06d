variable "e" {
  default   = true
  ephemeral = true
}
resource "terraform_data" "a" { count = var.e ? 1 : 0 }
