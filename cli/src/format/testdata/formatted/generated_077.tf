//a line 
é57        = (-local.é)
for_each63 = true
