for_each51=	max(  var[ "k" ].*.id  )
      x "é"{  
名前30 = -{}  
  }
bb72=	"#%{ if  local.é ~}yes%{  endif ~}\n//" # end

each-key76  =	max(	// c 
(f()) , # c
  max(  var.a ?x  : true... ),	[for k,v in "s"  +	
x : []  &&""   // c 
if {}	]... )
