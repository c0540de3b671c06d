for_each39 = /* c */ <<-EOT
  EOT
variable {

  /* a
  block */
  x "a b" { type = "text" }
  resource "bare" "label" { type = x } // end
  a46 = [for k in "" : var[-1]]
}
each-key68 = var[0]
