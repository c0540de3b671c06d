run "x" {
  command = plan
  assert {
    condition     = terraform_data.a.input == 1
    error_message = "wrong"
  }
}
