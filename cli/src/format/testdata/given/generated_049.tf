é8  =[	for k,v in - x  :provider::x::y("s" ?  2.5 
: true	, {}/* c */?true: null  ,	
var.a...)   if ({for k in f():[]	=>x}  )]/* end */
      each-key52 =max(	{ each-key0/* c */=	1e3  ,名前1 : provider::x::y(x...  

	)  ,x12 :{for k in var.a

	:  2.5 /*é*/ =>f()...}	, }	, [  for k in local.é :  provider::x::y(	[] ,local.é  , local.é ) if (	// c 
true)	] // c 
)  
名前6={	for k in module . a[ "k" ] :  f()=>// c 
{	for  k , v  in ({}) :var.a=>	{}...   # c
  }	}  
bb6 =var.a  *! "" # end
each-key71=	[for  k , v  in ([for  k , v  in 1e3  /* c */: true # c
  ])	: "s" // c 
< 1e3/* c */*	[] ]
  bb80 /*é*/ =  /*é*/ 1e3  
