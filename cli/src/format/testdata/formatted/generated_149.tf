é46  = ""
x150 = [] == [] ? {} : ""              // end
a70 = [for k in true ? [for k in f() : // c 
  1e3
  ] : ("s") # c
: x /* c */]
long_name5 = ![]
é63 = { for k in { for_each0 : [for k, v in x : {}
if 1e3] /* c */, for_each1 : max(x /* c */, 2.5...), 名前2 : local.é /* c */, } : /* c */ "s" => 1e3 } # end
dynamic "" "é" {
  # a line
  x161 = ({
    for k in var[-1][0][x].*.id : null => module[0].*.id // c 
  })
  resource {}
  x119 = null /* end */
}
