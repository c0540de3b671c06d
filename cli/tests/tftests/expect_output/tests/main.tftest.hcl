run "x" {
  command = plan
  variables {
    n = 4
  }
  expect_failures = [output.o]
}
