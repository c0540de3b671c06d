long_name62 = var.a.a["k"][*]
bb54 = [for k in 1 >= // c 
  f() % "" : [true /*é*/ * 2.5, 1 ? []

    : "s",
]] // end
é51 = {}
a48 = {
} /* end */
long_name9 = module["k"].a.a
