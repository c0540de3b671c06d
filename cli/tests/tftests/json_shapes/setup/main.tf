variable "name" {}
output "made" { value = "${var.name}-made" }
