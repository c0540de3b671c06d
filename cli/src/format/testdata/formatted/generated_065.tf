x150 = local.é # end
/* a
  block */
long_name59 = var.a.a[*].id # end
bb64        = x
bb2 = "s" - (provider::x::y(null...) // c 
)