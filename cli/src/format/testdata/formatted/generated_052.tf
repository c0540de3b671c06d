
for_each27 = module.a.a // end
x {
  bb18 /* c */ = {} ? "\"%{~if 2.5~}yes%{endif}% " : "$ ${1e3~}"
  for_each87   = <<EOT
  EOT
  long_name7   = true # end
  x "a b" "a b" { type /*é*/ = local.é ? 1 /*é*/ : x }
} // end
