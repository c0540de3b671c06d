run "setup" {
  module {
    source = "./setup"
  }
}
run "x" {
  variables {
    n = run.setup.v
  }
  assert {
    condition     = output.o == 0
    error_message = "wrong"
  }
}
