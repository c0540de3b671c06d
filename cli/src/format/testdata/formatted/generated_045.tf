resource "" {
  variable "" { b = provider::x::y(null, [], 1...) }
  é37 = { é0 : { for k in { for k in "" : var.a // c 
    => var.a } : x => {
  } }, é1 = {} ? [] /* c */ : {} && 1, } /* end */
}
variable "bare" { # why
  //a line 

}
resource {
  名前32 = <<EOT
      % 5
  EOT
  //a line 
  resource "" {           # why
    dynamic "a b" /*é*/ { # why
      /* a
  block */
      x112 = ([])

    } # end
    resource {
      each-key4 = [] - "//\"%{if x}yes%{else}no%{endif~}" /* end */
      a65 = [for k, v in !true : é[0][-1].0 if[for k in x :
        "" // c 
      ]]
    } // end
    x187 = true /* end */
    //a line 
  }
  //a line 
}
x "a b" "label" {
  dynamic "label" {

  } /* end */
  each-key25 = { for k in {
    for k in true >=

    [] : "s"
    => "" ? {} : {}... } : x => # c
    {

      名前0 = max(1, "s"...)
    }

  }
  long_name67 = module[-1].a
}