      resource 	"label" {
bb89 = 2.5 +1e3
for_each72=	<<-EOT
  EOT
      dynamic{ # why
resource {

	}
  }
for_each22=-1e3
  }  
      名前51=provider::x::y( null *

	true... )  
variable   "" bare {
	}  
名前17	=<<-EOT
      $${no}
  EOT
  x   "é" 	"label"	{   } # end
