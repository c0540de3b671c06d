variable "x" { default = 0 }
check "c" {
  assert {
    condition = var.x == 0
  }
}
