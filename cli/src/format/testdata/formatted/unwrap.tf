b = x
c = (x
)
d = (a) + (b)
e = ("${x}")
f = x
g = x // c
h = x /* c */
i = ["${x}"]
j = "${x}${y}"
k = "a"
l = foo("${bar}")
m = { a = 1 }
n = "x${a}"
o = "${a}x"
p = a ? b : c
q = /* z */ x
r = x
s { t = x }
u = "${x}" == 1
v = "%{if x}a%{endif}"
