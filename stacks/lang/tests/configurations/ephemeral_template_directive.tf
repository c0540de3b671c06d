variable "e" {
  default   = true
  ephemeral = true
}
resource "terraform_data" "a" { input = "%{ if var.e }a%{ endif }" }
