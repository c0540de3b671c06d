resource "" {                                         # why
  a98 = "$${x}\n%{~if true}yes%{else}no%{endif~}text" # end
  resource "label" "bare" {
  }
  x "a b" "bare" {
    x "é" { type = null || local.é }
    # a line
  }
  resource {
    名前78        = { for k, v in { for k, v in - "" : "" => ""... } : f() => ""... } /* end */
    long_name17 = "s"
  }
}
x136 = [] / "${~ {} }" /* end */
#
each-key62 = var.a
resource "label" { /*é*/ type = null }
x143 = [
true, ] /* end */
resource "a b" "é" { # why
}
