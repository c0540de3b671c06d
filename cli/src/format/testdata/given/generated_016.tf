  long_name93 =1 >=  var.a
  dynamic  {	b	=  provider::x::y( true,local.é , null ) }
é30  =x? ({for k in 1e3 :	1e3=>var.a} /* c */) : 1e3?2.5:  {	for  k , v  in {}  : 1=> true }
