resource{

for_each52  = max(  {} ,// c 
é[ "k" ]	)
  x115 ="$ ${( 1e3
)}$ " # end
	
	}
x135={} ?	{} %  {for k,v in "" : f()=>var.a// c 
} :	(- 1)// end
	each-key67 =	/* c */{ # c
  for  k , v  in max("\né", "#% é",	! 1e3...	):x =>"${f()  /*é*/ }"  }  
	é36= module[ "k" ].*.id
