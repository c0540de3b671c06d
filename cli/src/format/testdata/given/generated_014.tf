dynamic "é" "a b"{
x	{
	long_name65="$${x}%{if 1}yes%{else}no%{  endif ~}"
/* a
  block */
}
} # end
	é83= 1e3 >=  /*é*/ local.é # end
for_each2 ={ } # end
	//a line 
dynamic  "é" {  
      a50=  {名前0 :[  for k,v in "s":{for  k , v  in []/* c */:/* c */local.é	=> /*é*/ []}],long_name1 :provider::x::y( "\né"	,  var.a...), }
	}
  bb72=("${var.a~}"// c 
)
