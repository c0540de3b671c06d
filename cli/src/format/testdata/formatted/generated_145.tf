bb6 = {} && module.a.a.a # end
é13 = <<EOT
  EOT
a40 = <<EOT
      "quoted"
      text
  EOT
dynamic { # why
  for_each8   = ("s")
  long_name91 = <<EOT
  EOT
  a67         = module.a // end

} // end
# a line

variable "label" { type = {

  a0 : var.a
  for_each1 : 2.5

  名前2 = var.a
} }