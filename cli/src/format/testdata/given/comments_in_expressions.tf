a = 1 /* x */ + /* y */ 2
b = [ # one
1, # two
# three
2 # four
, 3 /* five */
]
c = foo(/* a */1,/* b */2/* c */)
d = {# x
a=1 # y
# z
bb=2 // w
/* v */ ccc=3
}
e = (# p
1 # q
+ # r
2
)
f = a /* b */ ? /* c */ b /* d */ : /* e */ c
