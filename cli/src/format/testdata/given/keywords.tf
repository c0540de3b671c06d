for=1
in=2
if=3
foo=[for in in in:in]
bar=in[0]
baz=for[0]
qux=a.in[0]
