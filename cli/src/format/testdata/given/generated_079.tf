x  "a b"   "label"  {

  bb17=-1/* end */
resource {  b = ""  >=""  }/* end */
  #
é60=  /*é*/ "" ?  max(null   # c
  +  /*é*/ true	,  # c
  1e3 ):  "% ${~1 # c
  }"
	}// end
bb81= provider::x::y( # c
  {
  
long_name0	=var.a   - 	f()
a1	= {} -[]  ,
}
)
      dynamic   "a b" bare{
  }
  a66=  /* c */"s"/* end */
      /* a
  block */
