x122 = [[
  local.é ? 1e3 :

  "s", 2.5 - null, "",                                                // c 
  ], ({ for k, v in local.é : "" /*é*/ => x }), [for k, v in(local.é) # c
  : provider::x::y(var.a
, "s", 2.5...)], ]
é43 /*é*/ = /* c */ [true, ] # end