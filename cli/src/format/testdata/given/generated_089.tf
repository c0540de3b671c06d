each-key26  =	null  ?! [] : "s"  == null== []/* end */
	名前47	= [{for k,v in null:// c 
{}	=>	// c 
[]+  true }, 
[ # c
  for k,v in 2.5  !=true  

	:[ ] /*é*/ ],  

	{each-key0	:{
  
x10  =null, # c
a1  :local.é  
  
名前2 :  {}	
}  ,a1 : {} / 1e3 , each-key2:  [ local.é,   ]  , } // c 
,

	]
	each-key59   /*é*/ =( 2.5)/* end */
  # a line
variable "é"  "é"	{b="s" +"s" }
	名前36= {
a0= ! 2.5
  
bb1 =	[	for k,v in [ ] :  local.é ]/* c */,
}
