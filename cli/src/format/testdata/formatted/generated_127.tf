long_name12 = <<EOT
  text${~" %{if "s"}yes%{else}no%{endif}é ${1e3~}"~}
  EOT
x115 = provider::x::y(!null
, é[0].a[0], {})                                                      # end
each-key61 = <<-EOT
% 5
text
      "quoted"${2.5 || [for k, v in null // c 
:                                                                     # c
var.a]~}
  EOT
