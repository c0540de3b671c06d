variable "e" {
  default   = "x"
  ephemeral = true
}
check "c" {
  assert {
    condition = var.e == "y"
    error_message = "no"
  }
}
