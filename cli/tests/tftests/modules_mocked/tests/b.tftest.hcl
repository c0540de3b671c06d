mock_provider "terraform" {
  source = "./mocks"
}
mock_provider "terraform" {
  alias = "west"
  mock_resource "terraform_data" {
    defaults = { id = "west" }
  }
}
mock_provider "terraform" {
  alias = "east"
  mock_resource "terraform_data" {
    defaults = { id = "east" }
  }
}
run "mocks" {
  assert {
    condition     = terraform_data.e.id == "from-file" && terraform_data.w.id == "west"
    error_message = "e ${terraform_data.e.id} w ${terraform_data.w.id}"
  }
}
run "chosen" {
  state_key = "chosen"
  providers = {
    terraform      = terraform
    terraform.west = terraform.east
  }
  assert {
    condition     = terraform_data.e.id == "from-file" && terraform_data.w.id == "east"
    error_message = "e ${terraform_data.e.id} w ${terraform_data.w.id}"
  }
}
run "same_key" {
  command   = plan
  state_key = "chosen"
  providers = {
    terraform      = terraform
    terraform.west = terraform.east
  }
  assert {
    condition     = terraform_data.w.id == "east"
    error_message = "w ${terraform_data.w.id}"
  }
}
run "verify" {
  module { source = "./dns" }
  assert {
    condition     = output.name == null && terraform_data.d.id == "from-file"
    error_message = "id ${terraform_data.d.id}"
  }
}
