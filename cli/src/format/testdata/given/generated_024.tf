//a line 
      名前82={for_each0	=  module[ x ][*].id,}  
      long_name52= []  /  f()/* end */
      bb83  /*é*/ = 2.5
