variable "e" {
  default   = 1
  ephemeral = true
}
resource "terraform_data" "a" { count = ephemeralasnull(var.e) == null ? 2 : 0 }
