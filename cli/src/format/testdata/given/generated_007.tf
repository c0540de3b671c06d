  é25 ="s" !=  { for k in 1:  null // c 
=>

	local.é  / // c 
null}/* end */
a63  = - ""/* end */
	x{ type= var . a[ "k" ] . a [ * ]}  
dynamic { # why
	dynamic	{ type/* c */=	 /*é*/ 2.5 +"" }
	resource  /*é*/ "é"   "a b"{
}  
}// end
