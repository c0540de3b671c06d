variable "a" { default = "default" }
variable "b" { default = "default" }
variable "c" { 
  type    = string
  default = "default" 
}
variable "d" { 
  type    = string
  default = "default" 
}
module "inner" { source = "../inner" }
output "all" { value = "${var.a} ${var.b} ${var.c} ${var.d} ${module.inner.x}" }
