	é6 =-1e3/* end */
each-key83= { # c
for_each0:var.a # c
é1	:" ${  
[]}\"//" # c
a2 ={ for  k , v  in "\n//" : null=>[]  # c
  },
}
//a line 
	resource	{  
}
      é68=[for k in [
for k in "s" 

	 -  2.5	: 1e3  *1   
if true 

	==	"s"	]  : ! "" if provider::x::y({each-key0 =  1e3, long_name1 = 2.5 ,} ,	( var.a)	)]/* end */
