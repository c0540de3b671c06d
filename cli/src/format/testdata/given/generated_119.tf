for_each13 =	"s" - ""?{
a0:  ""   /*é*/ 
  
é1 =local.é,
}:	{ # c
  for k,v in null:true	=>  f()  }
dynamic "é" "é"{  
resource{  
      x121 = - x
}
bb77 = [ for  k , v  in x? max(local.é  , true 

	,	 # c
  x ) # c
  : " "  :max( - true ) 
]  
dynamic{
x132 = { for k in ([for k,v in ""	: // c 
1e3	]	):1e3=>{ }...}
      x142=  [] >=  null// end
	}// end
  }// end
a61=<<EOT
      "quoted"
      é${ "\n\""}
  "quoted"${  /* c */true  ||  // c 
[// c 
x,	  ]  ~}
  EOT
bb45= 2.5	?f()	%	{
} :f() ? max(1e3...// c 
) :{for  k , v  in 1e3  : "s"	=>1e3...  
}  
  
x111= { for k in []	*! 2.5 :[]=> max(var[0].0  ,provider::x::y(	1e3,null,	f()), 
[ "",var.a,  ]  
)... }// end
