  resource 	"é" bare	{  
  //a line 
x 	"é" {

	}/* end */
  x	{type=x+ 2.5  }
      x 	"a b" "a b"  /* c */{ # why
dynamic  bare{ }
x162 =<<EOT
EOT
  x136=local.é  ?  !null:{for k,v in ! 1	:  ""=> var.a
}// end
  }// end
}
      
  x137=1	 /  "//"