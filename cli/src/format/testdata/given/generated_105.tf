each-key79= []  
      a4  =true  
long_name44=	"text"
	for_each76	=x?max(	 /*é*/ ""	

	 / [] ,{
  
x10= {}	, # c
each-key1 :""
each-key2  :null
} , 

	2.5	) : /*é*/ 2.5
      each-key43  =- {}// end