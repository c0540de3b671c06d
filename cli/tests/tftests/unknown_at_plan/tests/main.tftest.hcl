run "x" {
  command = plan
  assert {
    condition     = terraform_data.a.id != ""
    error_message = "wrong"
  }
}
run "y" {
}
