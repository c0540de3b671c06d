  each-key86= (  # c
  provider::x::y("",  2.5))
	each-key11  =  {}!=x+  1/* c */||[]  
x{}/* end */
      each-key93 = {for k,v in é.a.a[*].id	:true=>- {}...}  
	for_each0	=[

	for  k , v  in é[ - 1 ][ - 1 ]:[for  k , v  in -local.é  :	- true 

	if "text //" ] ]
