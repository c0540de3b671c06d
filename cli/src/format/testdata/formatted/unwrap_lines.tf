a = (foo(
  1,
  2
))
bb = (x ?
  1 :
2)
c = <<E
foo
E
d = ([
  1
])
