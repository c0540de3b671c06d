long_name2 = f() /*é*/ % { each-key0 : ["", 2.5, {}, ], } # end

x "" { # why
}
é69 = [] != var.a[x].0
#
for_each74 = [] || 1 /* c */ / é.a[*]
