é15=<<-EOT
      "quoted"${~{}}
  EOT
x{  
	é66=  true	 -/* c */-var.a  
	名前0=  max(max( f() 
?"":"",
module.a[ x ][ x ] [ * ]  ,!1 
),	// c 
{
  
名前0=- "s"
  
bb1= 1e3? 1e3	:1e3	
}...)
	long_name12= !1e3 # end
      x17=	( 
max(
provider::x::y( null	),2.5+
""  

	)   /*é*/ )
	}// end
each-key79  =[for k,v in null	%("") :  1  &&true   // c 
if max(2.5? x	:	""	,module . a[0] [ * ], # c
  2.5 ?
x : 1... )] # end
long_name17=   /*é*/ f()// end
