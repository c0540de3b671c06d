variable "x" { default = 0 }
check "c" {
  assert {
    condition     = [1, 2][var.x + 5] > 1
    error_message = "no"
  }
}
