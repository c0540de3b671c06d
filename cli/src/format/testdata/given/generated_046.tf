      dynamic "a b"{ # why
variable "label" { # why
a25=f()  - module[ "k" ].*.id # end
  # a line
/* a
  block */
}
}/* end */
long_name76 =	[	[  for  k , v  in { # c
x10= "s"  
  
long_name1=  var.a  
} 
:f() ],true   - local.é - 	// c 
f()	,  []	|| 
[	for k in "" :{} ]  , ]  
  x  bare {}
a86 =	!2.5
      variable  bare "label" {  

bb16	=1e3/* end */
long_name29=provider::x::y([]...)
  }
resource {

  resource	{ # why

	x174= var[ x ] . a/* end */
} # end
}
	variable  { # why
  }
