each-key30 /* c */ = var.a + var.a[-1][0].0
名前86 /* c */ = max(/* c */ [max(x, 2.5, /* c */ 2.5), provider::x::y(1, 1, true...),
  1e3,

], é.a.a["k"].*.id)
x142 = {} - !f() # end
bb88 = -2.5
é85 /*é*/ = ("" /*é*/ *

x)