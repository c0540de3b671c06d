x "" "a b" {
  名前82 = /* c */ var.a * { bb0 = [for k, v in 1 : local.é
  if ""], long_name1 /* c */ : é.a.*.id, long_name2 /*é*/ = provider::x::y(1, "s"...), } # end
  dynamic {}
}                            // end
名前29 = "s" ? "" : "${~ {} }" # end
//a line 
variable {

  x19 = [/*é*/ for k in provider::x::y([], {} ? {} : x, "#"...) : "${"s"}"]
}
for_each54 = [] >= 2.5 < /* c */ null % 1e3
dynamic "a b" "a b" { type = "#" } // end
# a line
