名前81  = var.a	?[	!2.5, ]  :2.5!=( local.é)
for_each81  =  !local.é # end
  each-key49	= module[0][ - 1 ].*.id
名前96 =  { # c
long_name0  = max( "s"? 1e3  :  true ,	[  # c
   /*é*/ ]  ,   # c
  true) 
for_each1	:provider::x::y(null /*é*/ ,local.é// c 
?   # c
  null  :	null/* c */, /*é*/ (  "")...)
} # end
#
