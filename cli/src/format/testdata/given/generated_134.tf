      for_each47	=[] # end
for_each15	=  [ 	]
      dynamic   "a b" 	"label"	{type= {  for k in "s"	: local.é  =>	1e3 }}
	名前83=  var . a.*.id// end
      variable { # why
x {  
# a line
  
  }  
名前64 ="s"// end
}
a38  = [{
a0 = 2.5&&	f() 
bb1 = /*é*/ max( /*é*/ 2.5 ,  x)	,
}  ,- 1 ,  ]/* end */
