override_resource {
  target = terraform_data.a
  values = { output = "of the file" }
}
override_module {
  target  = module.m
  outputs = { o = "of the file" }
}
run "file" {
  assert {
    condition     = output.a == "of the file" && output.m == "of the file"
    error_message = "file: ${output.a} ${output.m}"
  }
}
run "run" {
  override_resource {
    target = terraform_data.a
    values = { output = "of the run" }
  }
  override_module {
    target  = module.m
    outputs = { o = "of the run" }
  }
  override_resource {
    target = terraform_data.many[1]
    values = { output = "one" }
  }
  assert {
    condition     = output.m == "of the run"
    error_message = "module: ${output.m}"
  }
  assert {
    condition     = output.a == "of the file"
    error_message = "it was made already: ${output.a}"
  }
}
run "within" {
  override_resource {
    target = module.m.terraform_data.inner
    values = { output = "inner of the run" }
  }
  assert {
    condition     = output.m == "of the file"
    error_message = "the module is overridden by the file: ${output.m}"
  }
  assert {
    condition     = length(output.many) == 2
    error_message = "many"
  }
}
