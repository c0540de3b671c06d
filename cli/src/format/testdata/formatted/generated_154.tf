each-key29 = "s" ? [for k, v in [for k, v in "s" /* c */ : true] : "\n"] : { for k in 1e3 == null : {} => "text" }
a6 = /*é*/ { for k, v in max(
é["k"]["k"]["k"].0...) : 2.5 => local.é... }
名前23 = 2.5 && "s" /*é*/ ? module["k"] : [] == 2.5 # end
