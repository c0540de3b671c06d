long_name68 = [for k, v in { for_each0 = [
  2.5
, true, /*é*/], 名前1 /*é*/ : local.é, } : null if - var.a]
bb5        = null /* end */
each-key27 = <<EOT
  "quoted"
      $${no}${true}
  EOT
