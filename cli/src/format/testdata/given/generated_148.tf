	é37=	 /*é*/ ! x// end
	variable  { # why
      # a line
	}
  //a line 
bb34  ="s"	/* c */?  max( "" ,! 2.5 )  :  { # c
long_name0  =[	]	,
  
a1 = ( 1 ) 
名前2:{
} ,
}// end
  /* a
  block */
      long_name25 =[ for k in []  ?	[/* c */for k in 1:local.é if [] ] :local.é :{  # c
  for k in ( x	):

	local.é  # c
  =>max(  2.5  

	)
}	
]
