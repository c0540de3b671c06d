a  = 1 /* x
   y */ + 2
bb = 3 /* z
*/
/*
* doc
*/
c {
  /* a
b */ d = 1
  ee          = 2
}
