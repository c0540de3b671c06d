//a line 
	x185= var.a||[ local.é , 
	] # end
	bb55=  <<-EOT
  EOT
  long_name2=provider::x::y(  
( [	/* c */"s"  ,	]  /* c */),[]	
>=2.5 ?  

	true  :f() )// end
