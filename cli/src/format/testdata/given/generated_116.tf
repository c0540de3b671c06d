	x bare {}
dynamic  "a b" { }
	#
  resource{
  } # end
