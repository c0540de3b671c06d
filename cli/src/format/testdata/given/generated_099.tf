	
      x 	""  "label"{
  }  
      名前89= f() != [ for k,v in 1  :-f()]/* end */
	long_name31	=[ for k,v in [{},  ]  : ! {}  if null ?	"s":1e3 ]
      /* a
  block */
