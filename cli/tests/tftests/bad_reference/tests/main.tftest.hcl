run "x" {
  assert {
    condition     = nosuch.thing
    error_message = "wrong"
  }
}
run "y" {
}
