for_each38 = provider::x::y({ for k in {

  bb0 = 2.5,
  名前1 = f() /*é*/,
  for_each2 : {},
  } : // c 
"" => /*é*/ f() ? 2.5 : 2.5 })
x11  = <<EOT
EOT
x173 = var[0]["k"]["k"].0
variable "a b" "" {} // end
x "é" {
  variable "a b" {
    dynamic { type = (2.5) }
    dynamic "" {

      variable "a b" {

        é75 = provider::x::y(f() >= { # c
          long_name0 = {}
          for_each1 : 2.5,
          },

          (provider::x::y("s",
          1)) # c
          , /* c */ "s" >= max("s",

            2.5... // c 
        ))

        名前49 = "" // end
        x135 = f() < (
          local.é
        == null) // end
      } /* end */
      dynamic "bare" { type = ({}) } /* end */
      //a line 
    }
    #
  }
  é39 = module.a.*.id       # end
  resource "a b" "label" {} # end
  名前58 = 1e3
}
名前71 = {

  é0 = !"" # c
  a1 /* c */ = { /* c */ for k, v in "s" / /* c */ null
    : # c
    var.a => "s"
  ? [] : local.é } # c
  é2 = {
    a0 = (                    // c 
    true)                     # c
    bb1 : module.a[x].a.*.id, # c
    x12 = "s",
  }
} # end
