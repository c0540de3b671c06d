      for_each58 = <<-EOT
      "quoted"${null  }
  $${no}${"\n${~2.5} %{~ if 1e3}%{endif} "	

	}
  é
  EOT
      é22 = var.a  - 	(  max(	2.5 ,{}))// end
	名前46= 1e3 -  [ # c
  for  k , v  in provider::x::y( # c
  1 /*é*/ ):  
module[ - 1 ][ x ][ "k" ].0 ]
  long_name69	= local.é
名前18= x ? ({for k in true	:f()=>  x...  }	) :""  
      a32  = max(2.5?[2.5, 1e3 

	,	]: [ f(),	  
],/* c */{  for  k , v  in 1e3  - null : ""=> [ // c 
for k in x:
1  // c 
if x]
})/* end */
  x183 ="$ text%{ if  1}%{  endif ~}\"${local.é!=	
"s"~}"// end
