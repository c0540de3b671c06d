variables {
  n = 0
}
run "x" {
  assert {
    condition     = var.n == 0
    error_message = "wrong"
  }
}
run "y" {
  variables {
    n = 1
  }
  assert {
    condition     = var.n == 1
    error_message = "wrong"
  }
}
run "z" {
  assert {
    condition     = var.n == 0
    error_message = "wrong"
  }
}
