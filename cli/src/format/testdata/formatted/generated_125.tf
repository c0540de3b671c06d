each-key87 = [/* c */]
bb34       = []
é91        = "% $${x}"
a59 = { x10 : max(                        # c
  var.a[-1].a.*.id,                       # c
  { /*é*/ for k, v in 2.5 : null => ""... # c
}), }