a=[for x in y:x]
b=[for x,z in y:x if z]
c={for k,v in m:k=>v}
d={for k,v in m:k=>v...if v}
e=[for x in [1,2]:x]
f=[for x in {a=1}:x]
g=[
for x in y:
x
if x
]
h={
for k,v in m:
k=>{
a=v
bb=k
}
}
i=[for x in(y):x]
j = { for k , v in m : k => v ... }
k=[for s in"abc":s]
l=[for x in -y:x]
