a68 /* c */ = f() /* end */
long_name25 = -2.5       // end
a0 = [for k, v in true   // c 
  -[for k, v in null : x # c
  if[]]

  : [for k, v in "" ? [] /*é*/ :
    var.a

    :
    é.a[x]["k"].*.id

]]       # end
名前46 = ( // c 
  2.5 ? var[-1][x][-1].*.id
  :
  {
} /* c */) /* end */
//a line 
resource {
} # end