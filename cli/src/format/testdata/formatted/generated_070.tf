a78 = <<EOT
      "quoted"
      % 5
text
  EOT
each-key8 = [{
  for k in null ? 1e3
  : 1

: local.é => [for k, v in 1 : "" /*é*/]... /* c */ }, /*é*/] /* end */
# a line
resource "" {

  each-key76 = {} ? {
    for k, v in [f(), ] : null     // c 
    =>                             // c 
  true ? /*é*/ 1 : 2.5... } : true # end
  resource "bare" {}
}
long_name73 = {
  each-key0 : x == {}
  x11 = "${2.5~}"
}
a92 = { for k in "s" ?
  {} + // c 
  f() : [for k, v in local.é : "" if 2.5] : 1e3
=> é["k"][-1]["k"][*].id... } /* end */