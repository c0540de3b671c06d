run "x" {
  assert {
    condition     = var.n == 9
    error_message = "no ${var.n}"
  }
}
run "y" {
  assert {
    condition     = var.n == 1
    error_message = "wrong"
  }
}
