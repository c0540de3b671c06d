# invalid: 1
module "m" {
 source = "./m"
 x = 1
}
