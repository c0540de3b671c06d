each-key82	 /*é*/ ={}*{	for  k , v  in {  /*é*/ for k in 2.5	: local.é // c 
=>  # c
  null }  : local.é  =>""?x : []...  

	} # end
	long_name37= "" ? { # c
名前0 =  module . a . a ,
bb1  :  !"",
} : provider::x::y([ for  k , v  in "" // c 
:true  ]... )
each-key12=  [	
	]/* end */
	a64=[] <!2.5/* end */
      for_each51  =var.a[ - 1 ] [ * ]// end
resource   /* c */""{ # why
  for_each97= <<EOT
      EOT2
"quoted"
EOT
}
