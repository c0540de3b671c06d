# invalid: 1
variable "n" { type = number }
module "m" {
 source = "./k"
 count = var.n
 n = var.n
}
