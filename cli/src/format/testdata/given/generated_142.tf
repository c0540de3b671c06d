	bb15 ={for k,v in var[ "k" ].0: null =>  1e3 /  max([] , var.a )   # c
  } # end

  resource	{  
}
long_name70= x*  true
      bb41={}// end
  resource "a b" "a b"	{ }
