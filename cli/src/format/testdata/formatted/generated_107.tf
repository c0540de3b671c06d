a45 = <<-EOT
      EOT2
  EOT
a57 = [max(

  -true)
  ,
]
bb7 = var[x]
//a line 
each-key72 = provider::x::y(          // c 
  { for k in "" /* c */ : var.a => [] # c
    && []                             # c
  }...
)
名前3 = local.é
