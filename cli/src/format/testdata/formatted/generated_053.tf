dynamic "a b" "" {
  each-key45 = 1 /*é*/ * ("s") /* end */
  for_each20 = x
}
long_name43 = { for k, v in { for k, v in {} : 1 => !true } : true =>
  [] != max(var.a, 2.5...) # c
}
each-key33 = "s" % 2.5 * null != 1e3
名前0        = <<-EOT
  text
  EOT
# a line
a60 = [[for k in { for k, v in x : true =>
  x... } : (1e3)], var[x][x]["k"], { for k, v in(true) : x => null /*é*/ ?
"s" : f()... }, ] /* end */
resource {                       # why
  é18 = module[x]                // end
  variable { type = "s" >= 2.5 } # end
}
