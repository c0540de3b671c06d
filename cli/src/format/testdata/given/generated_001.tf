	a40=	<<-EOT
$${no}
  EOT
é51={}?	null :module[0][ x ]  
	
      bb12	=! local.é/* end */
