é41=/* c */2.5  /*é*/ != 1  ?	true >=/* c */null: "\"$ é"
  long_name69 ={ 名前0  :-"s"  ,}// end
	for_each8	=	/* c */"${~{ long_name0 : true,名前1 = local.é	, }	~}"/* end */
  a60 =  {
} # end
	é70={ each-key0= "" %  [  ]	,each-key1=( max(  var.a  ,null// c 
))	, }/* end */
	resource	{
#
  }// end
