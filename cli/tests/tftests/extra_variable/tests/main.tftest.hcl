run "x" {
  variables {
    zzz = 5
  }
  assert {
    condition     = var.zzz == 5
    error_message = "wrong"
  }
}
