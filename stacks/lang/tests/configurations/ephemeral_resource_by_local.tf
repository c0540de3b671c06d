variable "e" {
  default   = "x"
  ephemeral = true
}
locals { l = "${var.e}!" }
resource "terraform_data" "a" { input = local.l }
