      long_name51  =( /*é*/ - "s")  

a41=(  ( ! null))/* end */
	x  "label" bare{ type =  {	for  k , v  in 1e3 :   /*é*/ true => local.é}} # end
	for_each88  =- []  
      bb72  /*é*/ =	[ 
]
