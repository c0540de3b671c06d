      each-key88="${module[ "k" ][ x ].0~}"/* end */
  
# a line
long_name34	=provider::x::y( "s"// c 
,  {} ,  ( { a0  =1e3, long_name1: true , }))  
resource "é" {
	x125 =  { # c
  for k in module.a.0

	: null=>
provider::x::y(null  // c 
!= 
null/* c */)}
      # a line
	
      for_each20=  ( # c
  [  for k in {
  
a0	=/* c */var.a,
}  : ""])// end
}

	dynamic /* c */""  {  
variable  "a b"  {

	} # end
each-key18  =	[]  
	}