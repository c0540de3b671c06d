é87 = {} - [                                     # c
for k, v in 1e3 + f() : (x) if f() ? 2.5 : null] // end
x { type = { for k in 1e3 : var.a => "s"... } }
bb77 = /* c */ [for k in local.é * ["", ] : local.é if null]
dynamic {

  x145 = var.a[x][x].0 # end
} /* end */
a9 = { # c
  bb0 = module[-1].a

  a1 : { /* c */ for k, v in true * "" : [] => (true) } # c
  long_name2 = (max(x, null)),
}
名前99 = " text%{if null}%{endif}"
