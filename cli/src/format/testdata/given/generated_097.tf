      resource/* c */{

	a61=-local.é// end
	}/* end */
	bb24= var.a  
      //a line 
  variable  "label"  {

	}
	for_each42 =max( "$${x}$ //" , [] ,	[]	) # end
a26  =	[ // c 
for k in ! true :max( true  % {} ) 	if module[ - 1 ][ x ][ x ]  ]
      a30  =  [for k in "${~	null
}":/* c */é . a[ "k" ][ x ] [ * ]  if 1e3	]  
