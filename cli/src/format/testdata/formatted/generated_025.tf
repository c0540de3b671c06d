for_each55 = 1
long_name74 = [[
  [

    for k, v in 2.5 : ""
if 2.5], ], ] /* end */
a49 = "\n% //${~[var.a /*é*/, local.é, ] # c
~}"
resource {



  é76 = null ? [[] /*é*/, ] : "$${x}${~""}$${x}"

}
x149 = [for k, v in "é#${ {} ~}" /*é*/ : {
  é0  = {} < 2.5
  bb1 = "",

  é2 = (""),
} if "\ntext${/*é*/ "s"}"] /* end */