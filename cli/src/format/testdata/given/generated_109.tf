bb31 /*é*/ = {
  
a0	=	var[ - 1 ].*.id /*é*/  # c
each-key1=	"">=	(f())	,
x12 : { for k in "s"? var.a	
:2.5  :1e3=>	[{} ,null // c 
,
local.é , 	 /*é*/ ] 
} 
}/* end */
      a26= <<-EOT
  "quoted"
  EOT2
  EOT
  名前52  =/* c */provider::x::y(	
[	for  k , v  in {x10 =1  , }: ["", [],  ]  if { }]	/* c */)// end
a75 = 1	 -   module[0].*.id// end
      //a line 
	long_name33=	<<-EOT
  "quoted"
EOT2
EOT
