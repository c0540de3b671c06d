run "x" {
}
run "y" {
  variables {
    n = run.x.o - 1
  }
  assert {
    condition     = output.o == 0 && run.x.o == 1
    error_message = "wrong"
  }
}
