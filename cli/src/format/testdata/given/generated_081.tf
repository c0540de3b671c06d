  a73 =2.5%  "${2.5}" # end
  for_each55 ="$ %{ if  2.5 ~}yes%{  endif ~}é"
# a line
	variable  "label" "a b"{}// end
      for_each27= ( 1e3 )  
      /* a
  block */
