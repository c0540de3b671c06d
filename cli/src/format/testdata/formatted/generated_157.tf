a58 = /* c */ { for k, v in var.a.a[*] : ""

=> local.é }

a72  = [f() ? provider::x::y(f(), null) : true ? {} : /*é*/ 2.5, ]
名前42 = x /*é*/ == var.a
名前4 = /* c */ max("", true
) # end
