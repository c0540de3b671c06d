名前7 =<<EOT
é
EOT
  a95=true%  module[ "k" ].a . a[*].id # end

  #
  x174	=  /*é*/ {for k in {
each-key0 =[ for  k , v  in "" :	var.a   /*é*/ if ""]  
  
x11 =var[ x ][*].id,
  
for_each2 = var.a 
} :/* c */var.a => max( # c
  [ /*é*/ for  k , v  in []  :	1 ]
, "s" ?	 # c
  {}:  1...)}// end
	/* a
  block */
