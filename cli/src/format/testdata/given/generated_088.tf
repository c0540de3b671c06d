  bb83  =	""	&&(	é.a . a . a )
	a13=  é.a[ - 1 ].0 # end
  名前20 = /*é*/ f()/* end */
	x{  
  }// end
      for_each96  =[ {/* c */for k in {
}  :  2.5=>var[ - 1 ][ - 1 ].*.id},		]  
      é85=	é[ "k" ] . a.*.id/* end */
