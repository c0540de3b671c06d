run "x" {
  expect_failures = [var.n, check.c]
}
