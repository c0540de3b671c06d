      a56  = 1
      each-key67	=  {
  
for_each0  = "",
for_each1: 1e3	/* c */ -{
名前0  =  /*é*/ var.a
  
é1: true	,
}  /* c */ # c
bb2 /*é*/ ="//\""  
}
  x164= [ /* c */for k,v in var.a 
:  {}*-f()	]
	variable  "a b" "é"{  
      for_each64 =	{
  
é0 /* c */= [	 ]
}/* end */
for_each72	=	max(	// c 
max(	"% é", // c 
1	>= 1e3  )  # c
  ,max( module[ - 1 ] . a[ "k" ] [ * ]	)// c 
)  
#
	
	}
      #
