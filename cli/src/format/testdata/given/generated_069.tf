      bb98 =	"s"
	bb82 = <<EOT
  $${no}
"quoted"
EOT
variable 	bare  "é" {b=  []}// end
  for_each7=	({}  
==local.é/* c */)  
for_each78 /* c */=[ { # c
名前0: x	
}
,  ] # end
  a3  ={for  k , v  in [for k in true: var . a . a.a[*].id] /* c */: 1e3=>provider::x::y(	var.a ?	x: 1	,

	var[ "k" ][0][ "k" ] [ * ],	[  for k in true:  var.a  if null ]...  
)  }
bb6  =[		]
