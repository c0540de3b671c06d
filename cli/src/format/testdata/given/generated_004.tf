	each-key78 = <<-EOT
      % 5
text
text
EOT
	名前56 =  /*é*/ ( // c 
[  !var.a ,  
]  )/* end */
variable   "" "é"	{  
  }
é32 =[  	]/* end */
  variable   "label"	{  
      x198= {} # end
  
x   bare{  
      # a line
	bb51= [ for  k , v  in "s" :
max(true...
) 	if "s"? [for k,v in 2.5:	2.5]  : [1e3 ,1e3,  
{} ,	 ]] # end
}// end
	名前86	= <<-EOT
      $${no}
EOT2
EOT
}
