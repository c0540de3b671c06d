resource {
  long_name28 /*é*/ = <<-EOT
% 5${(var[x]["k"].0) // c 
}
  EOT
bb49 /*é*/ = max(module.a[*].id) /* end */
variable "" { # why
}             // end
//a line 
} // end
名前5 = var.a["k"].*.id
/* a
  block */
a67 = " "
dynamic {
} // end
