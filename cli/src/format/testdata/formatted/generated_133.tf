resource "bare" "" {

  é24         = [] / é.a.a[0]
  é93         = [] /* end */
  long_name17 = [(1e3 && f()), ]
  each-key81 /*é*/ = [[-[], 2.5 - f(),
    ], é[-1].a, [

    [/* c */ for k, v in local.é : ""], local.é,

    2.5 * "", ] // c 
    ,
  ] # end
}
a48 = -"s"
dynamic "label" "é" { b = var[-1].*.id }
