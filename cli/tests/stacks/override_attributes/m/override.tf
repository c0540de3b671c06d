output "sum" { value = "${var.a}+${var.b}" }
