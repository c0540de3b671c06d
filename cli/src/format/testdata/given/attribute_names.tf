a-b=1
_c=2
d_-e=3
f1=4
G=5
