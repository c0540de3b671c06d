
#
bb99       = 2.5 ? "" : []
each-key86 = var.a[0].a.*.id
