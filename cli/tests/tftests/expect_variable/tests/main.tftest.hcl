run "x" {
  command = plan
  variables {
    n = 9
  }
  expect_failures = [var.n]
}
run "y" {
}
