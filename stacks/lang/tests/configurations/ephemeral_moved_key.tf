variable "e" {
  default   = "x"
  ephemeral = true
}
moved {
  from = terraform_data.a[var.e]
  to = terraform_data.b
}
