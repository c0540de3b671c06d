/* a
  block */
dynamic "bare" {

  for_each99 = 1 - -{} // end
  a1         = -var.a
}                                      # end
each-key34 = "s" ? [for k, v in 1 ? "" // c 
  : "" : [for k, v in var.a

    : []                                           // c 
if local.é]] : ([for k in 2.5 : local.é if var.a]) # end
for_each91  = { for k, v in "" /*é*/ : null => "% %{if var.a}%{endif}é//" }
long_name67 = [for k, v in "é#%{~if true}%{endif}$ " : (1)] // end
bb60 = { for k in "${
  x}" : null

  =>
  2.5

  -   // c 
  2.5 # c
}
long_name56 = f() >= "% $ é%{~if 1}%{endif~}"