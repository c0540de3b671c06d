# invalid: 1
variable "n" { type = number }
module "m" {
 source = "./m"
 count = var.n
 x = 9
}
output "o" { value = module.m[0].nope }
