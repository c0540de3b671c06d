	for_each67 =  x -"${~	1e3	}"// end
      long_name25= <<-EOT
  EOT
	//a line 
  dynamic 	"a b"  "a b"{  
  a48  = provider::x::y( 1  -  []

	, module[ "k" ][ "k" ]...  )
  //a line 
  }
      long_name26=!1/* end */
