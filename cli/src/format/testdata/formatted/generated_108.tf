for_each29 = !var.a
# a line
bb67 = 1 ? é[-1].a.a.0 : {

  x10 : [/* c */ var.a, 1e3, f(), // c 
  ],

  x11 = { # c
    a0 = 1,
    名前1 : {}
  },
  名前2 : -"s"
} # end
variable "a b" "label" {
}
a19 = (var.a["k"].*.id)
