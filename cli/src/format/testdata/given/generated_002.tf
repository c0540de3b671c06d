	
  名前32 =null  < "${ f() }"
名前41  =	provider::x::y( /*é*/ {} ?"" : { for k,v in ""	: 2.5  =>{}...  }	,	[for  k , v  in "" 
:{each-key0: [],}  if [	1, ] ]	)  
