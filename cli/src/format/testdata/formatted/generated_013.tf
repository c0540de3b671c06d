x "label" {

  dynamic {
    x "" {} /* end */
    x136 = [(

      !x),

    ]
    名前25 = ({ for k, v in { for k, v in local.é /* c */ : "" => null # c
      }

    : x => [for k in f() : true if x]... })
    é21 = ({ # c
    for k in { each-key0 = x, é1 : f(), bb2 : 2.5, } : x => "" / "" })
  } /* end */
  each-key49 = { for k, v in 1 ? ("") : "\n//" : null => /*é*/ 1e3 % {
    }... // c 
  }      // end
} /* end */
bb19 = (max(["s" /* c */, null,     // c 
]))                                 // end
x16  = /* c */ ("s" /* c */ < "\n") // end
bb69 = <<EOT
"quoted"
  EOT
