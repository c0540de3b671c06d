dynamic  bare "label" /*é*/ {}
  //a line 
a49 =	var.a