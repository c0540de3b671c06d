a=b[0]
c=b [0]
d=b[ 0 ]
e=b["x"]
f=b[*].c
g=b.*.c
h=b.0
i=b . c . d
j=b[c[d]]
k=foo()[0]
l=[1,2][0]
m={a=1}["a"]
n=(a)[0]
o=b[-1]
p=b[each.key].c[*].d
q="x"[0]
r=b[*][0]
s=b.c[0].d
