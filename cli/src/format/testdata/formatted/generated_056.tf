x196 = 1e3 - (/*é*/ - []) // end
x123 = provider::x::y(
  [ # c

] /*é*/, "é//%{if 1e3~}yes%{endif~}"...) /* end */
x {
} // end
bb65 = [for k, v in [for k, v in x == "s"
  : module[-1]] # c
: (/*é*/ null ? "s" : "")] /* end */

