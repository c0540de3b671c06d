each-key5={ # c
long_name0 :/* c */{ for k,v in {  for  k , v  in null:	true	=> f()...  } : true =>  provider::x::y(	2.5  ,  true	
,{} ) } 
}
	bb25 =	{
for k in {	for  k , v  in (2.5  ):  1 /* c */=>	- local.é	}  :local.é	=>	"//${ 1 }"...}
      long_name62 = 2.5  - (	// c 
[ 2.5  , 
true	,  ])/* end */
