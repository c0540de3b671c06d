variable "e" {
  default   = "x"
  ephemeral = true
}
resource "terraform_data" "a" { input = { a = ephemeralasnull(var.e), b = 1 } }
