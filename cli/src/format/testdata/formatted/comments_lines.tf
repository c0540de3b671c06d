#a
//b
/*c*/
# indented
a { # d
  # e
  // f
  /* g
   h */
  b         = 1  # i
  cc        = 22 // j
  /* k */ d = 3
  e         = 4 /* l */
  f         = 5 /* m */ # n
}                       # o
# p