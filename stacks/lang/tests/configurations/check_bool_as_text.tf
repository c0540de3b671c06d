variable "x" { default = "false" }
check "c" {
  assert {
    condition     = var.x
    error_message = "it is false"
  }
}
