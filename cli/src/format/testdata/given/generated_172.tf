dynamic	{  b=  {
名前0/* c */=/* c */2.5,
a1:	null	
long_name2:f()  
} }
	//a line 
      
