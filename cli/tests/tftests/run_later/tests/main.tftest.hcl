run "x" {
  variables {
    n = run.y.o
  }
}
run "y" {
}
