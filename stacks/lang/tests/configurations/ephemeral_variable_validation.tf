variable "e" {
  default = "x"
  ephemeral = true
  validation {
    condition = var.e == "x"
    error_message = "no"
  }
}
