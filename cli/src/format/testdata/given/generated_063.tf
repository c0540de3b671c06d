  bb1= "s"// end
each-key29	=[
provider::x::y(local.é

	) /* c */,max( "s"% 1e3) ,  1e3  ,  ]
      variable "label"  bare{ # why
      
each-key21 =[]  ?{

	for  k , v  in {} -  1:2.5=>max( f())...} /*é*/ :2.5 # end
  }
	
	bb37	= é . a[ "k" ][ - 1 ][*].id
