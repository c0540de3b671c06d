bb94= /*é*/ <<EOT
EOT
      x176 =	!x// end
long_name1=  é[ x ]  
  
名前55 /* c */=! {}
      é36= {for  k , v  in [ for k,v in "" :  - var.a ] : 

	null	=>  "$ "	}/* end */
for_each66  =1>= var.a
