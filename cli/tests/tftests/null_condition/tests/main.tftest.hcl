run "x" {
  assert {
    condition     = terraform_data.a.triggers_replace
    error_message = "wrong"
  }
}
