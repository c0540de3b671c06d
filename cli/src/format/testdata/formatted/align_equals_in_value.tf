a    = b == c
long = x != y
d    = { e = f }
foo  = [for x in y : x == 1]
