override_resource {
  target = terraform_data.a
  values = { id = "fixed" }
}
run "unknown_at_plan" {
  command = plan
  assert {
    condition     = output.id == "fixed"
    error_message = "it is not known"
  }
}
