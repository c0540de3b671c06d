  //a line 
x174 =	[ for  k , v  in 1	:	(provider::x::y( local.é	,	"s"  )  )  ]/* end */
	variable 	"" {b = { for k in f() :1 =>// c 
null}} # end

é35/* c */=  provider::x::y(f()	)
	x 	"" 	bare  {}
	resource "label" {/* c */b	=  -[]  }/* end */
