module "m" {
  source = "./m"
  nope   = 1
}
# file: m/main.tf
variable "a" { default = 1 }
