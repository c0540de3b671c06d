é84 ="$ "  
a45  = [ for k in {} /*é*/ ? provider::x::y(  true...	) # c
  :  "texté#" :[{for  k , v  in null: {} =>2.5} , 2.5   - null	,  [for k in 1e3 # c
  :x	 /*é*/ ]  /* c */, ]  if {long_name0=/* c */1!=x,each-key1	=  max(local.é) ,} ]
each-key39 = [1e3>=  
1   -  [],[for  k , v  in -""	:var.a.a[0]  if {}== ""] , "s"?// c 
!null:[for k,v in 1  # c
  :2.5]	, /* c */  

	]
      /* a
  block */
