run "x" {
  assert {
    condition     = var.n == 9
    error_message = "a"
  }
  assert {
    condition     = var.n == 8
    error_message = "b"
  }
}
