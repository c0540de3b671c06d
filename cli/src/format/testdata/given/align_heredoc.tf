a=1
long=<<E
x
E
bb=2
c=<<E
y
E
