run "x" {
  assert {
    condition     = terraform_data.a.input
    error_message = "wrong"
  }
  assert {
    condition     = [var.n]
    error_message = "wrong"
  }
}
