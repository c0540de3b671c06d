bb6 = /* c */ ( // c 
-f())           # end

名前27 = (f()
) // end
/* a
  block */
for_each76 /*é*/ = {
  名前0 : var.a || local.é ? x : 2.5 # c
  x11 = var.a,
} # end
dynamic "é" {
  é19 = ""
}
