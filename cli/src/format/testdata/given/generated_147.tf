	variable "" 	"é"   /*é*/ {  
	é86={long_name0  : /*é*/ var.a  ? {}	: 1e3 , x11  :	max({}?  {} :  

	null  ) , }// end
é26=local.é// end
  /* a
  block */
	}
      dynamic "a b"  {  
      dynamic  bare{
      resource ""{

	}
each-key23  = é . a[ "k" ][0].*.id/* end */
  } # end
  bb28	=1
  名前33=[for  k , v  in []  -	[ for k,v in var.a:  var.a   # c
  ]: 

	local.é?	[]  :true  %1e3] # end
	dynamic 	""   ""	{  
	}/* end */
	}
	dynamic	{  
	} # end
      
