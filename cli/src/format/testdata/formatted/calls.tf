a = foo()
b = foo(1)
c = foo(1, 2, 3)
d = foo(1,
  2,
3)
e = foo(
  1,
  2,
)
f = foo([1, 2]...)
g = foo([1, 2]...)
h = foo(1)
i = provider::a::b(1)
j = provider::a::b(1)
k = foo(bar(baz(1)))
l = foo(bar(
  baz(
1)))
m = foo({
  a   = 1
  bbb = 2
})
