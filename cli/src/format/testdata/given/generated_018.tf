dynamic/* c */{   }
resource  "é" {  type  =  var . a[ x ][0] }
      variable "é"{  
each-key28 =( f()	
?- {}:{ é0	:x	,bb1: local.é,}	)  
each-key65= {}=={for  k , v  in " ////" 
:local.é=>	2.5!= ""...	}  
  long_name92 =<<EOT
text${~  {long_name0= -"s", bb1 : x||1e3,each-key2	=	null , }~}
  EOT
	}
long_name20	= "${~(  ""  )}"
	//a line 
      a28  =	1&&f() ?provider::x::y( ""):x  ? 2.5: var.a// end
