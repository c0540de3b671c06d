  long_name18  =  { for  k , v  in {}%	 # c
  [  
x ,]  

	:var.a	=>"\n"  }// end
	# a line
	
	dynamic "é"{b=null }
