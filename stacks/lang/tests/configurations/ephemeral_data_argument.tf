variable "e" {
  default   = "x"
  ephemeral = true
}
data "terraform_remote_state" "a" {
  backend = var.e
}
