for_each28 = (                                                         // c 
provider::x::y("#\"$ ", max(2.5 /*é*/) /* c */))                       // end
bb6 = [] ? null ? "" ? 1 : f() : (/*é*/ 2.5) : [] == [for k, v in [] : // c 
var.a]
long_name38 = 1
long_name14 = <<-EOT
      $${no}
      EOT2
  $${no}${"$${x}"}
  EOT
