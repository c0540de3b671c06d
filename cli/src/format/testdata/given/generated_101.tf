      é40	=- x// end
a21= "s" % {}/* end */
	variable	{
	for_each62 = /* c */[ for k,v in { é0 :[] ==	2.5, }: ("text\né") ]  
  }/* end */
