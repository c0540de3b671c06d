run "x" {
  assert {
    condition     = output.o == 1
    error_message = "wrong"
  }
}
run "y" {
  state_key = "other"
  assert {
    condition     = terraform_data.a.id != run.x.o
    error_message = "wrong"
  }
}
