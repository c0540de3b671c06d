check "c" {
  data "terraform_remote_state" "a" {
    backend = "local"
    count   = 1
  }
  assert {
    condition     = data.terraform_remote_state.a.outputs.x == 1
    error_message = "no"
  }
}
