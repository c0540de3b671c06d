variable "e" {
  default   = "x"
  ephemeral = true
}
resource "terraform_data" "a" {
  lifecycle {
    precondition {
      condition = var.e == "y"
      error_message = "no"
    }
  }
}
