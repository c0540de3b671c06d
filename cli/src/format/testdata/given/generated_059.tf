  
dynamic  { # why
	} # end
      variable "label"   "a b"{

      a79=<<-EOT
  EOT
	resource   "é" 	"é"  {

      long_name59  = (

	! 2.5 )
      x167=  <<-EOT
  % 5
      EOT2${ provider::x::y(   # c
  true)	 # c
  }
  text
  EOT
each-key85= []>= !1e3// end
	}/* end */
}
