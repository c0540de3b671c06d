# invalid: 1
module "m" {
 source = "./m"
 x = "abc"
}
