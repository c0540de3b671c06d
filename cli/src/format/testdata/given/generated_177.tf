名前65= <<-EOT
% 5
  EOT2${	

	[]}
  $${no}
EOT
      bb35=	x  
	dynamic   "é" "a b"{ type =	 /*é*/ {// c 
for k in 1e3:	/* c */x  =>  # c
  f()...}}
