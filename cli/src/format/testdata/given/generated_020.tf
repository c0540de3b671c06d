	dynamic "label" {


  each-key94= { # c
  for k,v in var.a:true=>{  for k in {}
? x :2.5 :[] /*é*/ =>	module[0][ - 1 ].0 }	}
	}
      resource{type=	[

	for k in []  :1// c 
]}// end
      a99	=max( 1/* c */?  é.a[ - 1 ][0].*.id 
: "//"... )
	#
  名前47	=	1?	 /*é*/ ""	: /*é*/ 1e3 /*é*/ ?"s"  :  1 &&	null
	bb53 =2.5 # end
	名前44= /*é*/ true ==  !null