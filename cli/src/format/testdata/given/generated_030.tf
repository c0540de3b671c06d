	for_each22=  [for k in 1	:max( // c 
"$ " ,  f() ?local.é:{},{for  k , v  in "" :	null  =>1e3  } )]

  resource  "" /* c */{  
  }
      dynamic  /* c */"" ""{b=- var.a  }
名前25=	"\n${	[for k in true :var.a]~}$${x}"// end
  bb58	=/* c */local.é?"é"/* c */: ""	||  - []