//a line 
resource "bare" {
  x176 = { for_each0 = max([], "\"\""), each-key1 : "é${""
  ~}\n", }       # end
  a58 = /*é*/ {} # end
} /* end */

bb19 = {}
