      for_each25	= true # end
variable "é"  {   }
	名前72 =f()?f()	?	true: x :( 1e3)// end
