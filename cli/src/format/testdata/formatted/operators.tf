a = 1 + 2 - 3 * 4 / 5 % 6
b = a && b || !c
c = a == b
d = a != b
e = a < b
f = a <= b
g = a > b
h = a >= b
i = -1
j = -1
k = !a
l = !a
m = !!a
n = a-1
o = a - 1
p = a * -1
q = (-1)
r = [-1, -2]
s = a * -1
t = a ? -1 : -2
u = { a = -1 }
v = a == -1
w = a && -1
x = -(1)
y = --1
z = !-1
