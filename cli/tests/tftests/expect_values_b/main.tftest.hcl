run "the_failed" {
  command = plan
  variables { n = 3 }
  expect_failures = [check.c, terraform_data.b]
  assert {
    condition     = terraform_data.b.input == "n3"
    error_message = "input is"
  }
}
