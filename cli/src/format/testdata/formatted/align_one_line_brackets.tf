a   = { x = 1 }
bbb = [1, 2]
cc  = foo(1)
d   = { x = 1, yy = 2 }
