é92=module . a[ - 1 ].0 # end
x142	=	1 %{} # end
  resource{	type=	max(	
2.5 ) } # end
	/* a
  block */
variable  /*é*/ "a b"{
  x164 = [  for k,v in [	] // c 
:1	] # end
each-key97 =  "${~   /*é*/ max(1e3  ,1 ,
local.é	)
}"// end
	bb17 =<<EOT
      EOT2${ [for k in { }	:  

	"s" ] ~}
  EOT
  each-key92="${[for k,v in 2.5  /*é*/ :  1]}"
	}  
  for_each68=  /* c */[	for k,v in [f()  -  null, [], // c 
 ] : null / ! "s" if module[ - 1 ].a [ * ]]// end
      long_name16=module[0].a[ x ]
