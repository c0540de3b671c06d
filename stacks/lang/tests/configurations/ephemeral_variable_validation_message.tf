variable "e" {
  default = "x"
  ephemeral = true
  validation {
    condition = var.e == "y"
    error_message = "not ${var.e}"
  }
}
