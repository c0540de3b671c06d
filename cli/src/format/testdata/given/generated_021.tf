x "label" {

variable "é" "label"{ type =   /*é*/ "text"}  
}  
	x161 = [ max(
é[ "k" ]	,"$ "  )  ,[  // c 
!1e3  , provider::x::y( # c
  1,1 , 2.5...),] ,  

	("s" %
true	

	),   # c
  ]
	名前97=true	>=local.é /* c */?( f()	):provider::x::y(1 /*é*/ ,  {}  , true...	)// end
	variable	{ # why
}/* end */
	bb76=<<EOT
  EOT
a85 = {
x10:( # c
  1e3%  x )
}// end
      each-key42	= ""  >=[ for k in ""  : 
null	+	
1]// end
