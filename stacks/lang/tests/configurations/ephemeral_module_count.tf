variable "e" {
  default   = 1
  ephemeral = true
}
module "m" {
  source = "./m"
  count = var.e
}
# file: m/main.tf
