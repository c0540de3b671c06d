      é6 = ((	null  -[]))  
long_name75  =- null
  for_each40	=1e3/* end */
  resource bare{type=""? /*é*/ "":f()}/* end */
bb23=	<<EOT
  $${no}
  EOT
//a line