bb8 = "s" /* c */ / {}
x "label" "é" {}
//a line 
each-key72 = 1 # end
variable "bare" {
} /* end */
/* a
  block */
