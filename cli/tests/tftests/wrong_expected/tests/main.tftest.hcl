run "x" {
  command = plan
  variables {
    n = 3
  }
  expect_failures = [output.o]
}
run "y" {
}
