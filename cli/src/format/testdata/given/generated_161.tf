名前49=  -2.5// end
dynamic	{
dynamic{

bb83 =<<EOT
"quoted"${ 
"s"~}
      é${~ var.a[ "k" ][ "k" ][*].id // c 
}
EOT
for_each85 = /* c */provider::x::y(	[ for  k , v  in module.a[0].a	:[  // c 
]], [	for k in "\"" :  1e3
] 
)// end
  }  
  
  }
  

