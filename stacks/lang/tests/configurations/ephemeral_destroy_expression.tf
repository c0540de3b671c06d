variable "e" {
  default   = true
  ephemeral = true
}
removed {
  from = terraform_data.a
  lifecycle { destroy = var.e }
}
