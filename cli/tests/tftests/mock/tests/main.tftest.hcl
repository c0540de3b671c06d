mock_provider "terraform" {}
run "x" {
  assert {
    condition     = length(terraform_data.a.id) == 8 && terraform_data.a.output == null
    error_message = "wrong"
  }
}
