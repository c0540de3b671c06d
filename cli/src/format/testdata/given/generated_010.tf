      é31  /*é*/ = local.é
  resource  bare{	b=  ( x)}/* end */
      a82  ="% %{if {} ~}yes%{  endif ~} %{ if  local.é}%{  endif ~}"
bb31 =	/* c */{} # end
      each-key2=""  
  a76	=é[ - 1 ][ x ] [ * ]