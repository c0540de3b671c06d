for_each56=  "$ "
	long_name49	=	({ }	)
	bb75=   /*é*/ true ==x
	variable "label"  "a b"{}
  for_each47  = [ # c
  max( {},  { }  ,"é"), true+ 1e3 >= 1e3,max(true&&  // c 
x	,null  ? "s": 1	) ,  ]  
dynamic "a b"	{
  # a line
  名前99= "s"	%	f()  -  (""  )
	} # end
resource	{

for_each60	=/* c */"${ [] }"
	}// end
