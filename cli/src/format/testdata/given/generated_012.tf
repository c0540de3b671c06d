  é7=	1/* c */ / var . a[0][ - 1 ].0
	long_name7	=  {for k,v in provider::x::y(	[ /*é*/ for k,v in 1e3:  true   if []] /*é*/ ,x   / {},{ for  k , v  in 2.5 :2.5 =>1e3
}): "s"=> "s"  /  (
2.5) } # end
  x198/* c */=	(  [  for  k , v  in !var.a: module[ - 1 ][*].id  ])// end
名前52= f()/* end */
variable {type =	1e3 ||	2.5  }
  long_name38 =  !2.5  
  名前58=<<-EOT
EOT2${	/* c */{ for  k , v  in (	null	/* c */):local.é=>var.a  /*é*/ ||var.a }  # c
  ~}
EOT
