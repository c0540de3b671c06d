variable "x" { default = null }
check "c" {
  assert {
    condition     = var.x
    error_message = "no"
  }
}
