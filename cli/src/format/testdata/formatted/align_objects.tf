a = {
  x         = 1
  yyyy      = 2
  "z"       = 3
  (foo)     = 4
  "${bar}x" = 5
  long_key : 6
  s : 7
}
