resource "terraform_data" "b" {
  lifecycle {
    replace_triggered_by = [data.terraform_remote_state.a]
  }
}
