resource "é" "" {
  long_name35 = -{} // end
  bb58 = var.a || "" * ["", [],
    // c 
  ] # end
}
dynamic {

}
名前81 = 2.5
