run "x" {
  variables {
    n = 2
  }
}
run "y" {
}
