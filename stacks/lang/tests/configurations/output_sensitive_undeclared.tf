variable "s" {
  default   = "x"
  sensitive = true
}
output "a" { value = "${var.s}!" }
