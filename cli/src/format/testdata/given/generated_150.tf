# a line
for_each53=	provider::x::y( // c 
{
é0  :module . a[0]
  
long_name1 :true  ?x  :{}, # c
x12:	[ for k,v in true :// c 
var.a  if true	] 
} ,{for  k , v  in null:	 /*é*/ null => {}  ?1e3	: null...	}  ,	{
}  
)// end
	variable bare {b  =f()}
  resource	{b	=  {} }
      bb30=  /*é*/ - []
	for_each44= /* c */"${~	{} }"  
  é61   /*é*/ = {  for k in {}/* c */: "s"  =>"" <	[for k,v in true  :
true if 1e3// c 
]  }