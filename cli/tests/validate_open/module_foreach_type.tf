# valid
variable "n" { type = map(string) }
module "m" {
 source = "./m"
 for_each = var.n
 x = each.key
}
