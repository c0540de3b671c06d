	dynamic ""   "a b"{  
	bb22 =null  
	variable "a b" {  
	resource{  
	long_name27=var.a[ - 1 ][ - 1 ] [ * ]/* end */
resource{  
  }
}// end
  } # end
      
for_each57	=null
	}  
  x183={  for k in {  for  k , v  in !1  : {}	=>{ for k in {} :2.5  =>	"s"...	/* c */}}:  null=>[]  
 -[ for k,v in f()  /* c */: local.é	

	]  }
      for_each15=  !true
名前70= var.a/* end */
  /* a
  block */
  for_each72  = <<EOT
  "quoted"
% 5
EOT
	x198  ="% $${x}%{if {} ~}yes%{  endif ~}text${~ "" }"/* end */
