a=1
bb   = 2 # x 
c {
  d=<<E
 x
E
  /* y
   z */
}
