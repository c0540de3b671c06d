  
	a93=	-local.é/* end */
x115 =  <<-EOT
      EOT2
text
EOT
