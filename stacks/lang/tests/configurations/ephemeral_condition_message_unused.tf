variable "e" {
  default   = "x"
  ephemeral = true
}
resource "terraform_data" "a" {
  lifecycle {
    precondition {
      condition = true
      error_message = "e is ${var.e}"
    }
  }
}
