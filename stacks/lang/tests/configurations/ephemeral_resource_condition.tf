variable "e" {
  default   = true
  ephemeral = true
}
resource "terraform_data" "a" { input = var.e ? "a" : "b" }
