#
resource "a b" "é" {
  each-key29  = !1 // end
  long_name96 = {}
}
x {
} /* end */
x185 = [1 # c
|| var[0][0][-1], {}, é[0][*], ] /* end */
名前25 = provider::x::y({

  é0 : [] # c
  名前1 : { // c 
  for k in 1 : 1 => var.a... }
}...)                                                         // end
each-key55 = true ? module[x][-1].a.*.id : [2.5 /*é*/ - {}, ] # end
x145       = 2.5                                              # end
