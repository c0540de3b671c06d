dynamic "label" {}                                 // end
a60 = x - [{} /*é*/ <                              // c 
"s", provider::x::y(1 /* c */, f(), []) /* c */, ] # end
x121 /* c */ = {
} // end
dynamic "bare" "a b" {

  variable "" {
    é32 = /*é*/ true >= module.a.a
    variable {
      # a line

      名前6        = -var.a
      for_each11 = var.a // end
    } /* end */
  }
  x "bare" "bare" { # why
    a83 = ("${[]}"

    )
  }
  a24 = (![])
  dynamic "" "é" {
    long_name12 = { # c
      for_each0 : {},
    } # end
    for_each20 /*é*/ = 1e3
  }
}

