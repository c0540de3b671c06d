long_name56 = true
x "bare" "bare" {

  名前89 = 1 ? provider::x::y(
  [/* c */ for k, v in "s" : true], "") : local.é - (var.a) // end
}
resource { # why
  x "label" "a b" {
    variable "bare" {

    }
  } /* end */
  variable "bare" "bare" {
    a88         = "s" + module[0].0 /* end */
    bb78        = [] / [(f()), max(var.a...), ] /* end */
    é30 /* c */ = [-[], max("" /*é*/ - "s", /*é*/ { x10 : x, a1 : "s", 名前2 = "s", } /*é*/, "s"), "s" % 1, ]
  }
}                                         // end
for_each99 = { for k, v in [for k, v in [ // c 
] : true] : true => var[0].a["k"] }
//a line