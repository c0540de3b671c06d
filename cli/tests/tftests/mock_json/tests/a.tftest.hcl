mock_provider "terraform" {
  source = "./mocks"
}
run "a" {
  assert {
    condition     = terraform_data.a.id == "json"
    error_message = "id ${terraform_data.a.id}"
  }
}
