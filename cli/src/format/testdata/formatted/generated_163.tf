dynamic "a b" "é" { # why
}
a76 = [{ for k in é.a : var.a => var.a.a[*] } // c 
, ]
each-key35 = [!"s", { for k, v in !local.é : "" /* c */ => { for k in []

  :
  2.5 => 2.5 }... }

  , ([ # c
    for k, v in {} :
    2.5 if 1]

), ]
