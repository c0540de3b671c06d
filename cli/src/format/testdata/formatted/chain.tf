a = (b
  .c
.d)
e = foo(b
.c)
