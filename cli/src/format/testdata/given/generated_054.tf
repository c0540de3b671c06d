//a line 
	//a line 
  variable bare "a b"	{  
# a line
} # end
      dynamic  "é"  ""{  
long_name12=2.5  <"#${ var.a} "
x{  
	}  
  é97=[  ]  
      x   bare{  
for_each27= {
  
é0 ={for k in {for  k , v  in var.a	:	// c 
true  =>// c 
true}: {} => (	1	) } , # c
名前1  = true?! var.a:  {for k,v in x:	1	=>1... },
  
for_each2= provider::x::y(  1e3/* c */!=  local.é ,module[ - 1 ].a[ - 1 ].0)
}/* end */
	variable 	"é"{ } # end
dynamic "" "label"{} # end
	a40= é[0] . a.0
	}/* end */
	}  
