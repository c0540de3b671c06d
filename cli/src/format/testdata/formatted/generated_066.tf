resource "é" "é" {} // end
long_name83 = <<EOT
é
$${no}${null
}
EOT
dynamic { type = true ? var.a : var.a }
a13 = provider::x::y("${~ {} }", provider::x::y(/* c */ - var.a, {} * # c
f()...))                                                              # end
dynamic "é" "" {
  #

  for_each75 = ({ # c
    x10 : local.é ? {} : x,
    for_each1 : "s" || x # c
    é2 = provider::x::y(
    {})
  })
  é15 = [for k in [[2.5, /*é*/ [], ], // c 
  ] : { for_each0 : -"s", 名前1 = [], }]
} // end
for_each7 = <<EOT
  EOT
