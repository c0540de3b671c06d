variable "n" { default = 2 }
check "c" {
  assert {
    condition     = var.n == 1
    error_message = "n is ${var.n}"
  }
  assert {
    condition     = var.n == 2
    error_message = "fine"
  }
  assert {
    condition     = var.n == 3
    error_message = "n is not three"
  }
}
output "o" { value = var.n }
