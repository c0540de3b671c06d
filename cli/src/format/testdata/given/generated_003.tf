x112 =max(

	{
  
a0	:[]? true :  []  
x11: max( 1, []...

	),
},{ # c
long_name0=  var . a . a[*].id
} , - {})/* end */
  bb29 =	([for  k , v  in {/* c */for k,v in "" 

	: 2.5=> f()} /*é*/ :[]  / 1  
] /*é*/ )  
	variable  {  
for_each49	=local.é ? 2.5	+ -local.é:{ }/* end */
long_name54  =true # end
#
	} # end
  bb65  =- null
	long_name56  =  1e3  &&provider::x::y(  ( "")  )
      long_name58=1<  {for  k , v  in module . a.a[ "k" ][*].id:null  =>- local.é... }
      é47  = [for  k , v  in "":	{a0= 1  , }  ]
