variable "e" {
  default   = "x"
  ephemeral = true
}
locals { o = { a = 1, e = var.e } }
resource "terraform_data" "a" { input = local.o.a }
