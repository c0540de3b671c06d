long_name63 = <<-EOT
  EOT
x152        = é[0].*.id
each-key89  = module["k"][0][*]
