run "check_failed" {
  command = plan
  variables { n = 2 }
  expect_failures = [check.c]
  assert {
    condition     = terraform_data.a.input == "n2"
    error_message = "input is ${terraform_data.a.input}"
  }
  assert {
    condition     = terraform_data.c.input == "n3"
    error_message = "input is ${terraform_data.c.input}"
  }
}
run "before_the_precondition" {
  command = plan
  variables { n = 3 }
  expect_failures = [check.c, terraform_data.b]
  assert {
    condition     = terraform_data.a.input == "n3"
    error_message = "input is ${terraform_data.a.input}"
  }
}
run "wrong_before_the_precondition" {
  command = plan
  variables { n = 3 }
  expect_failures = [check.c, terraform_data.b]
  assert {
    condition     = terraform_data.a.input == "n4"
    error_message = "input is ${terraform_data.a.input}"
  }
}
run "output" {
  command = plan
  variables { n = 4 }
  expect_failures = [check.c, terraform_data.b, output.o]
  assert {
    condition     = terraform_data.a.input == "n4"
    error_message = "input is ${terraform_data.a.input}"
  }
}
run "variable" {
  command = plan
  variables { n = 6 }
  expect_failures = [var.n]
  assert {
    condition     = var.n == 6
    error_message = "n is ${var.n}"
  }
}
