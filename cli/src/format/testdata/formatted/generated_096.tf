each-key76 = /*é*/ <<-EOT
      "quoted"${~(("" // c 
))~}
EOT
é40 = [for k, v in local.é == 1 && ""
  : { for k, v in({}) : var.a => [null, "", f(),
    ] // c 
} if é["k"][*].id] /* end */
bb21 = provider::x::y(!x, // c 
  [for k in [] : 2.5 if[

    ]], "" - [
for k, v in 1e3 : true if ""]...)
