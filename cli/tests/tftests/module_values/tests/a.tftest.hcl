run "setup" {
  command = plan
  module { source = "./setup" }
  assert {
    condition     = output.all == "x"
    error_message = output.all
  }
}
