bb60 = { for k, v in [for k, v in 2.5 ? 1 : "s" : [var.a, ] /* c */] : {} => var[0].a.0 } // end
variable "" { b = !"s" }
each-key77 = { a0 = { for k, v in "" : "s" => local.é < 1... }, bb1 = [for k in(/*é*/ var.a) : max(true, "")], 名前2 = !f(), } // end
a70 = { /* c */ for k in {} : [] => { for k, v in max(f(),

f(), 1) : /* c */ true => - 2.5... } }
x115 = <<-EOT
é
EOT
