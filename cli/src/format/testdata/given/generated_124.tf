bb73	= !true/* end */
      # a line
      名前81 =module[ - 1 ] . a . a  
x{

dynamic "é"{ b	=local.é}  
	for_each45= f() # end

# a line
} # end
      a70=	var.a?([	for  k , v  in "" : 1e3 ]	):module . a[ "k" ][ "k" ] # end
