variable "e" {
  default   = "x"
  ephemeral = true
}
check "c" {
  assert {
    condition = var.e == "y"
    error_message = "e is ${var.e}"
  }
}
