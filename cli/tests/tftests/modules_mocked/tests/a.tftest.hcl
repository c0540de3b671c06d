override_module {
  target  = module.net
  outputs = { subnet = "fake" }
}
override_module {
  target  = module.one.module.dns
  outputs = { name = "fakedns" }
}
run "plan" {
  command = plan
  assert {
    condition     = output.subnets[0] == "fake" && output.subnets[1] == "fake"
    error_message = "they are"
  }
}
run "all" {
  assert {
    condition     = output.one == "real" && output.deep == "fakedns"
    error_message = "one ${output.one} deep ${output.deep}"
  }
}
run "own" {
  override_module {
    target  = module.one
    outputs = { subnet = "mine" }
  }
  assert {
    condition     = output.one == "mine" && output.deep == null
    error_message = "one ${output.one}"
  }
}
