variable "e" {
  default   = "x"
  ephemeral = true
}
module "m" {
  source = "./m"
  e      = [var.e]
}
# file: m/main.tf
variable "e" {}
