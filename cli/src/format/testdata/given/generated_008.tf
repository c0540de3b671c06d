      resource { type  =true}/* end */
      resource bare "label" { }
	bb42 /* c */= [for k,v in [  for k,v in ! true 
:true// c 
<  "s"] # c
  :  1e3 ]// end
