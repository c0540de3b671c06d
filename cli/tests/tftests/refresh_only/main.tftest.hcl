run "makes" {}
run "looks" {
  command = plan
  variables { name = "two" }
  plan_options { mode = refresh-only }
  assert {
    condition     = terraform_data.a.input == "one"
    error_message = "input is ${terraform_data.a.input}"
  }
  assert {
    condition     = output.name == "one"
    error_message = "output is ${output.name}"
  }
}
run "applies_nothing" {
  variables { name = "three" }
  plan_options { mode = refresh-only }
  assert {
    condition     = terraform_data.a.input == "one"
    error_message = "input is ${terraform_data.a.input}"
  }
}
run "changes" {
  variables { name = "four" }
  assert {
    condition     = terraform_data.a.input == "four"
    error_message = "input is ${terraform_data.a.input}"
  }
}
