variable "e" {
  default   = "x"
  ephemeral = true
}
module "m" {
  source = "./m"
  e = { a = var.e }.a
}
# file: m/main.tf
variable "e" {}
