dynamic "" "" {} # end
x124 = <<EOT
$${no}
      "quoted"
  EOT
resource "label" "é" { type = "" }
for_each53 = true < {
} // end
each-key35 = x
