run "all" {
  override_module {
    target  = module.m
    outputs = { o = "both" }
  }
  assert {
    condition     = output.all == { x = "both", y = "both" }
    error_message = "all: ${jsonencode(output.all)}"
  }
}
run "inner" {
  override_resource {
    target = module.m["y"].terraform_data.inner
    values = { output = "deep" }
  }
  assert {
    condition     = module.m["y"].o == "deep"
    error_message = "y: ${module.m["y"].o}"
  }
}
