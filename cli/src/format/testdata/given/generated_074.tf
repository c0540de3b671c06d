  x 	"" "a b"	{	b = [	var.a /*é*/ ,x	,true,		] } # end
  for_each54=  ""// end
	long_name71 = var[ - 1 ]  
  for_each50= {
}/* end */
x  "é" { b	= max(2.5... )  } # end
