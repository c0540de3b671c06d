# weir accepts: Terraform forgets, while it validates, that the output of a module is ephemeral
variable "e" {
  default   = "x"
  ephemeral = true
}
module "m" {
  source = "./m"
  e = var.e
}
output "o" { value = ephemeralasnull(module.m.o) }
# file: m/main.tf
variable "e" { ephemeral = true }
module "n" {
  source = "./n"
  e = var.e
}
output "o" {
  value = module.n.o
  ephemeral = true
}
# file: m/n/main.tf
variable "e" { ephemeral = true }
output "o" {
  value = var.e
  ephemeral = true
}
