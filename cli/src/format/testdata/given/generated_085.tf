  long_name72 = [ 	] # end
a93 = ""  
      long_name28 = { for_each0 =((	true  
)  ),名前1:	module . a.0  ,}// end
      a67 =  f()  /*é*/ ?[ 
for k in "" : # c
  {for k in 1: 
local.é =>	1 }]:	max(	// c 
(
1 ) ,1e3	? "s" :var.a,{
  
for_each0:  {}	 # c
名前1:var.a  /* c */,
}...
)// end