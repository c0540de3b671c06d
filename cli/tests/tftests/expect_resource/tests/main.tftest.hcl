run "x" {
  command = plan
  variables {
    n = 3
  }
  expect_failures = [terraform_data.a]
}
