x111 = (""

+ [for k in 1 : local.é])
a32 /* c */ = x == var.a / "" /* end */
resource "" "" { # why
  bb58 = <<-EOT
  EOT
}
for_each70 = é[x].a[*]