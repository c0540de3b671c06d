a = foo(b...)
c = foo(b...)
d = { for x in y : x => x... }
e = foo(
  b...
)
f = foo(1, b...)
