# a

   # b   
//c
/* d */