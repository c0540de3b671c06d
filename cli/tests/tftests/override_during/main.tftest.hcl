mock_provider "terraform" {
  override_during = plan
  mock_resource "terraform_data" {
    defaults = { id = "mocked" }
  }
}
run "mocked" {
  command = plan
  assert {
    condition     = output.id == "mocked"
    error_message = "id is unknown"
  }
}
run "overridden" {
  command = plan
  override_resource {
    target          = terraform_data.a
    override_during = plan
    values          = { id = "of the run" }
  }
  assert {
    condition     = output.id == "of the run"
    error_message = "id is ${output.id}"
  }
}
run "at_apply" {
  command = plan
  override_resource {
    target          = terraform_data.a
    override_during = apply
    values          = { id = "of the run" }
  }
  assert {
    condition     = output.id == "of the run"
    error_message = "id is not known"
  }
}
