a = foo() - 1
b = x[0] - 1
c = (1) - 1
d = "x" - 1
e = {} - 1
f = 1 - 1
g = a.b-1
h = a.0 - 1
i = a[*] - 1
j = [for x in y : -x]
k = { for a in b : a => - 1 }
l = <<E
x
E
