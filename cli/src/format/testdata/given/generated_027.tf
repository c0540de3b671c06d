variable{  
  
  long_name55= {}	?  local.é  : provider::x::y(null...	)/* end */
	variable	{

	dynamic {

é96 =1e3 ?( (null ))/* c */:local.é / 	[    ]
	resource  "label" "a b"  {  
	}
      each-key44= /*é*/ é[ - 1 ].a[ - 1 ][*].id// end
  }
  #
}
bb71	=(  null  
) # end
} # end
  x  {	b	= {} ||[]  }
a67 =[for  k , v  in 2.5 :"# " ] # end
x19	=  ! 2.5

dynamic "é"{  
	for_each33 =var.a  >=! []// end
      x  bare "" {  type=	(
"s" )}// end
a42	=	var.a
  } # end
