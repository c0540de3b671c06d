x   "a b"	{ b =	{for k,v in f()  :  /*é*/ 2.5  => 
var.a...  /*é*/ }}
resource{  
	}
x ""	/* c */{

  }
      for_each76="% %{~ if 2.5}yes%{else}no%{  endif ~}\n$ ${	[
]	}"// end
  a52	=  { for  k , v  in max((  "s" ) , 1 ==	var.a  ,module[ "k" ] . a[*].id...) :2.5  =>[	for  k , v  in { each-key0  =2.5 ,}:[ for k,v in x : 

	2.5  if 2.5	] ]  /*é*/ }
variable  "é"{   } # end
	#
