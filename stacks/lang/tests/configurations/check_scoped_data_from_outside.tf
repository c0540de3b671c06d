check "c" {
  data "terraform_remote_state" "a" {
    backend = "local"
  }
  assert {
    condition     = data.terraform_remote_state.a.outputs.x == 1
    error_message = "no"
  }
}
output "o" { value = data.terraform_remote_state.a.outputs }
