run "x" {
  variables {
    n = 2
  }
  expect_failures = [check.c]
}
