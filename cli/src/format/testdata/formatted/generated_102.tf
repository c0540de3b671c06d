long_name32 = -""
x "" "label" /* c */ { # why
  dynamic "é" {
    resource "" "bare" {
      é34 = [] ? [for k in [x, 1
        , 2.5,                   # c
        ] : (1)] : { for k in [] // c 
        ? 2.5 : local.é : f() =>

        { for k, v in {} : true
      => 2.5... } }
    } /* end */
  }
  resource "" {

  } # end
}
for_each71 = [for k in "$${x}%{if 1e3}%{endif}#" : // c 
  max(                                             // c 
    ["s" /*é*/,
      local.é, null // c 
, ]) if var[x][x].a[*].id]

