	for_each45={ // c 
for k in max(f()	?  {} # c
  :x ,null, {
} ):f() =>é[ "k" ][ x ] . a[*].id}
  variable "é" "" {
      dynamic "a b" 	"é"{b/* c */=  (/* c */""	) }
  
é58=[] # end
é31 =<<-EOT
EOT
	}/* end */

	resource  "a b"   ""  { b	=provider::x::y(x ,  2.5 , local.é)  }
  each-key82 = ( x
||{/* c */for k in 2.5  : []
=>  x }  
)
  bb68 =	[    ] # end
each-key1= local.é
