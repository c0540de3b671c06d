é89 = {
  x10 = ""
  a1 = (2.5 // c 
  >= x),

  long_name2 : module.a[-1][*]
} /* end */
a70 = module[-1][0][x][*]
variable "bare" { type = [for k, v in null : 2.5] }
