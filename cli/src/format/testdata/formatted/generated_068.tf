//a line 
bb27 = {
  名前0 = (

  var.a)

  for_each1 = true * é[0][x]["k"][*].id

  each-key2 : ("////\n")
}
a42 = /* c */ { for k, v in var.a || { # c
  x10 = 2.5 /*é*/,

  bb1 : f(),
  } :
x => - local.é } # end
bb42 = ["s", null

  < [],
  # c
]
