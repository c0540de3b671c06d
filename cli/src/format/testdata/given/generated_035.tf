  x "a b" { # why
	} # end
é90  =<<-EOT
EOT
  dynamic{
variable  /*é*/ {

  a88=	-[]
  }/* end */
x153= /* c */!true
each-key55 =provider::x::y("${true~}", 
[ for k,v in var . a[ - 1 ] [ * ]	:- var.a	]/* c */)// end
	}// end
	each-key99 = ! f()