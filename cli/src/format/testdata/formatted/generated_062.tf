resource "é" {
  x130 = f()
  a87  = [for k, v in "" : [for k, v in [] : ""]]
  é92 = { for k, v in { for k, v in max( # c
  1e3...) : true => /* c */ var.a / {}... } /* c */ : f() => !"" }
  x "" "label" {} # end
}                 // end
名前18       = var.a
for_each65 = [for k in max(f()) : -2.5] # end

