é43  = "\n$ " /* end */
名前65 = /* c */ var[-1][0].0 // end
//a line 
