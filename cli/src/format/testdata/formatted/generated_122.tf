x "a b" { b = local.é + "s" }
variable "bare" "é" { b = max(1, null...) }
x "bare" {
  //a line 

}
x "bare" {} /* end */
long_name82 = <<-EOT
  EOT2${(-2.5)}
$${no}
é${[for k, v in max(2.5, {}...)
: !{}] /* c */}
EOT
