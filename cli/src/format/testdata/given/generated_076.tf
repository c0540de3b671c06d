  variable  "" "é"{  
é7/* c */=	"s"
dynamic  bare  "label" { # why
} # end
	} # end
      bb73="${ [var.a	,   # c
  2.5	,""
, /*é*/  ] /* c */}"/* end */
	resource {	type = {}?  2.5:1e3 }// end
	dynamic{ }
	é24=é[ - 1 ] . a . a.0

	dynamic  "é" "label"{  
	é88= {
for_each0 =	[for k in var.a?2.5 :	"": { long_name0 : []	, each-key1 :x ,é2: null,}	]  ,
}  
}
