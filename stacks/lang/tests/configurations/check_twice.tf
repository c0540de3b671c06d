variable "x" { default = 0 }
check "c" {
  assert {
    condition     = var.x == 0
    error_message = "no"
  }
}
check "c" {
  assert {
    condition     = var.x == 0
    error_message = "no"
  }
}
