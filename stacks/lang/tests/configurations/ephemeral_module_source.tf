variable "e" {
  default   = "x"
  ephemeral = true
}
module "m" { source = var.e }
