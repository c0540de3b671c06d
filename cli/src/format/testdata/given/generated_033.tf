      variable bare 	"é" {

      dynamic  "label" {
	é46 =	{
  
é0: [	]
  
each-key1 :{ for k in provider::x::y(	
1	) :1e3 =>  // c 
{} }  # c
long_name2=  - {} ,
}  
名前70=	"${~  "" ~}"// end
  x bare /*é*/ { }  
}
      bb68  =	"s"*  x/* end */
dynamic ""  "é"{


	resource  "a b"  { # why
long_name52= 1e3
	}// end
  }// end
      variable {	type =[ for  k , v  in x
:null  if 1e3]  }
	}  
  
bb10 = [[  !{}  /*é*/ , true ,	 ] ,]
