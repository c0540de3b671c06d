a    = 1 # one
bbbb = 2 # two

c      = 3  # three
dddddd = [] # four
e {         # five
}           # six
f = 7
g = 8   # seven
h = [1, # x
2]      # y
i = 1   // z
