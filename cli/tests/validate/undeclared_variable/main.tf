variable "x" {
  default = 50
}

resource "terraform_data" "é" {
  input = "ü${var.y}"
}
