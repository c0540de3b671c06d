      dynamic {
      a95  = [ for k,v in [ var.a  ? local.é :"s" , [	[],],{ # c
x10: local.é
  
x11 ="s",
} ,   ]:1e3?module . a[0] [ * ]:

	é . a [ * ] 	if -null	]
#
}  
resource{

  
  名前17	=	max( ""?var.a:	"",	[]  )  
	dynamic "label"{ # why
x "label" 	"é"	{  
      bb83 =  /* c */module[0][ "k" ]/* end */
for_each26=  provider::x::y([   

	] ,{
  
for_each0=	x|| "s" ,
})
}/* end */
  long_name78 ="" &&	{for_each0	/* c */:local.é  - var.a, }// end
  long_name32	=<<-EOT
é${~// c 
[(  f()  ) ,	{for k in 2.5  :  x => 
null} , 

	] /*é*/ }
      "quoted"
text
  EOT
long_name19  =  f()%  ""? f() ?x:f() :	true||  true// end
}  
名前44 = true  - /*é*/ [ ]
}
      for_each32 /* c */= {	
for k,v in { x10  : ![]	,}	 # c
  :2.5=>[for k,v in { long_name0	:f() , long_name1	=f() ,} : 1 ?  []  :  var.a if null	]... }
