
bb25 = /*é*/ {
}
for_each84 = [for k, v in [] : [

  for k, v in var[x][x].*.id : (
var.a)]]
long_name19 = { # c
  a0 : !true

  a1 : var[-1]["k"].*.id,

  a2 = 2.5 ? null != f() : var.a
} /* end */
variable {

  resource "" {}
  for_each50 = var[0][0][0].*.id
  bb56 = [("" - []),
  ]
} /* end */
x "bare" "é" { type = 1 }
