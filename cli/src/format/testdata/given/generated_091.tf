# a line
      long_name22	= /* c */- ""
名前11=	provider::x::y(( (1) ), max("$${x}\"",(  null  ) ) )  
each-key72 /* c */=x%var.a ==(	/* c */x) # end
	resource "label"  {

	}
