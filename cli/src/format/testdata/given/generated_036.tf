
x  bare{ }  
      # a line
  x {
      //a line 
é12= { x10= {
},}/* end */
      é62 = "#%{if "" ~}yes%{endif}% ${ " \""}"// end
  }  
	resource bare   "é"	{   }  
      a26=(local.é)/* end */
