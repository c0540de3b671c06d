a = 1
bbb = {
  x    = 1
  yyyy = 2
}
c = 3
dd = [
  1, 2
]
eeee = foo(
1)
f = 4
