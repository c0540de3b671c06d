variable "a b" "label" { # why
      for_each18	/* c */="\né"
      long_name1 =var.a/* end */
	
}
	é43={for_each0 : -x, each-key1 = 1e3,}
  é20	=  "é" # end
      名前75=  [ 2.5?

	[ for k in 2.5	

	: var.a  if {}]:(  # c
  2.5), // c 
"${f() ~}" , ]
      
