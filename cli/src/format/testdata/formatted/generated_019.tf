variable { # why
}          // end
long_name95 = "s" /* end */
each-key46  = é.a[-1].*.id
bb25 = provider::x::y([for k, v in x - 2.5 : []], {
  }, []... // c 
)
resource "" "a b" {
  x151 = var.a >= true != 1e3 >= []
  名前39 = [/* c */ for k, v in module.a.a.0 : "${~""}"]
  resource "" { # why
    for_each35 = {} ? var.a : 1e3 ? f() : x
    名前69 = { for k, v in 1 % 1e3 : // c 
      {} =>

      [for k in true
    : module["k"][x]["k"].*.id] } // end
  }
} /* end */
dynamic "" {} # end
each-key19 = <<-EOT
EOT
