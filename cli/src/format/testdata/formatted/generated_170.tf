for_each61 = x - !{}       // end
variable "label" "bare" {} // end
bb50 = [for k in "" : x    # c
]                          # end
é6 = <<EOT
      % 5${(-x)}
  EOT
a96 = { for k, v in("\n% //"
) : {} => ""... } /* end */