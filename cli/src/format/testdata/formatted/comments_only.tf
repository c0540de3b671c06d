# a

# b   
//c
/* d */