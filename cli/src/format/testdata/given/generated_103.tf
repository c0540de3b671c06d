      x{

	}/* end */
each-key83=x ? [ "# " ,	{
  
for_each0:	1 # c
a1  =[] # c
for_each2 =null 
} ,{   # c
  for k,v in 1 :  x =>true }  ,   ] : var.a  
      bb83=provider::x::y(2.5

	+{}||  "",{a0 =(1)  , })
a46=f()// end
# a line
