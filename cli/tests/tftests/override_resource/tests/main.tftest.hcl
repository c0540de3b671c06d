override_resource {
  target = terraform_data.a
  values = { id = "f" }
}
run "x" {
  assert {
    condition     = terraform_data.b.input == "f"
    error_message = "wrong"
  }
}
run "y" {
  state_key = "y"
  override_resource {
    target = terraform_data.a
    values = { id = "r" }
  }
  assert {
    condition     = terraform_data.b.input == "r"
    error_message = "wrong"
  }
}
