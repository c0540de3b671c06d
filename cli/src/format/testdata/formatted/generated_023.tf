
名前77 = ""
a58 = (f() ? [var.a, ]

: -true)             // end
each-key35 = [] + [] # end
bb62       = {} * x
# a line
é71 = [{} ? 1 ? var.a : f() : module[-1][x], true

  * max(f() /*é*/, 1), [for k, v in {
for k, v in "s" : true => 2.5 } : ("")], ] // end
