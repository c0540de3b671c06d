variable "e" {
  default   = "x"
  ephemeral = true
}
module "m" {
  source = "./m"
  e = ephemeralasnull(var.e)
}
# file: m/main.tf
variable "e" {}
resource "terraform_data" "a" { input = [var.e] }
