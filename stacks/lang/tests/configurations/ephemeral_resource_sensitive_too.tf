variable "e" {
  default   = "x"
  ephemeral = true
  sensitive = true
}
resource "terraform_data" "a" { input = var.e }
