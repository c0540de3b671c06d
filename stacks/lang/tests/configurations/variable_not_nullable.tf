module "m" {
  source = "./m"
  a      = null
  b      = null
}
output "m" { value = module.m }
# file: m/main.tf
variable "a" {
  default  = "fallback"
  nullable = false
}
variable "b" { default = "unused" }
output "a" { value = var.a }
output "b" { value = var.b == null }
