long_name39 = {} ? var.a * {} : (({} // c 
))
名前51 = /*é*/ <<-EOT
EOT
bb60 = /* c */ !{}
x124 = <<-EOT
"quoted"${ { for_each0 = [/*é*/ local.é, ], bb1 = {}, } }
      $${no}${1 ? (1e3)

: max(true, {})~}
      "quoted"${~ { for k, v in 1e3 + null : 2.5 => {

  each-key0 = true
} } }
EOT
bb33 = [2.5, [é[0]["k"]["k"], /*é*/], {
}, ]
