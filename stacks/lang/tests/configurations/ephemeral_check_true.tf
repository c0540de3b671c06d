variable "e" {
  default   = "x"
  ephemeral = true
}
check "c" {
  assert {
    condition = var.e == "x"
    error_message = "no"
  }
}
