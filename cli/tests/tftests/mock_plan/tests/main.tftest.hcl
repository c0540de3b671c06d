mock_provider "terraform" {
  override_during = plan
  mock_resource "terraform_data" {
    defaults = { id = "d" }
  }
}
run "x" {
  command = plan
  assert {
    condition     = terraform_data.a.id == "d"
    error_message = "wrong"
  }
}
