run "x" {
  variables {
    n = run.zzz.o
  }
}
run "y" {
}
