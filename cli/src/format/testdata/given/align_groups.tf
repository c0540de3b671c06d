a=1
bbb=2

cc=3
d=4
# split
ee=5
fffff=6
g {
}
h=7
ii=8
