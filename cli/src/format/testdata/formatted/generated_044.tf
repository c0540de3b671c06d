x198       = -{} # end
a55        = module[x]["k"].*.id /* end */
each-key75 = -x // end
bb91       = f()

bb16 /*é*/ = [
{ a0 : (null), long_name1 = ![], }, ]
x153 = {

  bb0 : "//${~/*é*/ x~}",
  long_name1 : [ # c
  for k in var[0][-1].a[*].id : -null] /* c */,
}
