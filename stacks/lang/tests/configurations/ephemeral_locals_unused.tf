variable "e" {
  default   = "x"
  ephemeral = true
}
locals {
  a = [var.e]
  b = { for x in local.a : x => upper(x) }
}
