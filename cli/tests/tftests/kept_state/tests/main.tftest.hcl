run "x" {
}
run "y" {
  command = plan
  assert {
    condition     = terraform_data.b.input == terraform_data.a.id
    error_message = "wrong"
  }
}
