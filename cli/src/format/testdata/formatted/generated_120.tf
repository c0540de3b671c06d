dynamic { type = { for k, v in 1e3 # c
: [] => 2.5 } } /* end */
for_each31 = 2.5 ? "$ $${x}" : max(!"s")
x131 = { for k, v in "s" < 2.5 : "" => [] ? // c 
  max(                                      // c 
"", "s", "") : /*é*/ [] }