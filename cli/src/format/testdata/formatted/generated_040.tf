for_each42 = 1e3 % [/* c */ for k in { # c
  each-key0 = f(),                     # c
  for_each1 : f(),                     # c
  名前2 = true,
  } :  // c 
var.a] // end
bb86 = 1 /* end */
a75 = [
]