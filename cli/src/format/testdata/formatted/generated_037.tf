# a line
each-key69 = max(f() ? { # c
  名前0 : local.é,
} : " //"...)
x170 = <<EOT
EOT2
EOT
a89  = 1 // end
//a line 
x "bare" {
  x "" "" {
    variable "bare" {

      resource "a b" "bare" /*é*/ {}
      bb22 = var.a ? { for k, v in(x // c 
        ) : var.a
        => # c
      1 } : { for k in [] : var.a => [] } /* end */
      dynamic { # why
        名前94 = (2.5 /* c */ ? var["k"][-1] : x - {}) /* end */
        a34 = null ? f() % provider::x::y(null
          ,
        "") : {} # end
      }
    } // end
    //a line 
    é23 = [provider::x::y([], f() + local.é), (x // c 
      ),
    ]
  }
  é18 = x ? -1e3 : []
}
