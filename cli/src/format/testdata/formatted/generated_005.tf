x113 = ["${1e3~}", f() || max(1), ] # end
dynamic {}                          // end
dynamic "label" {                   # why
  each-key30 = [] ? !"s" : [] - { for k, v in "" :
  {} => var.a /* c */ }
  名前67 = <<-EOT
  EOT2${"\"$ %{~if 1}%{endif~}$ "}
  % 5
% 5${~ { # c
  for k in provider::x::y(null,                                   // c 
    2.5...) /* c */ : /* c */ "s" => {
}... }
~}
EOT
名前91 = "s" ? "" ? true : f() >= f() : { 名前0 : [for k in null : x], 名前1 = {
  long_name0 /*é*/ = local.é
}, x12 : {}, }
}
dynamic "bare" {

}