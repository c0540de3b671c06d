mock_provider "terraform" {
  mock_resource "terraform_data" {
    defaults = { id = "d" }
  }
}
run "x" {
  assert {
    condition     = terraform_data.a.id == "d" && terraform_data.b.input == "d"
    error_message = "wrong"
  }
}
