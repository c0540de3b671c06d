//a line 
bb1 = { # c
  é0 : "s" ? ({}

  ) : 1e3 < local.é # c
  each-key1 : ""
  x12 : provider::x::y([/* c */]
  )
} // end
bb10 = <<-EOT
EOT
bb25 = [for k, v in [] : { for_each0 = "", }]
x { b = 1 /*é*/ && "s" }
x176 = ("#$ ")
# a line
