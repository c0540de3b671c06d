x15	/* c */={
名前0 =  provider::x::y( (2.5)	// c 
,x
? x:null ,// c 
( 1 ) 

	)	 # c
bb1:"s"   /  x/* c */,
long_name2 :{ 名前0:	module[0][ - 1 ] ,long_name1 =[  x, []/* c */,"s", 

	] , } 
}
	é69 =<<-EOT
  EOT2
      text
      text${  null  ~}
EOT
  
