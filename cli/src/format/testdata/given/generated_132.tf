bb97=(  ![])  
  
each-key59	=  [
for k,v in ! local.é	:f() ]
	bb49=	/* c */{}||[  for k in [] <1 : "é//"]
variable "" {	type= 1e3 }// end
  long_name28	= 1e3>=  {}>= {
}
