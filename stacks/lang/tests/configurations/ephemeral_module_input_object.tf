variable "e" {
  default   = "x"
  ephemeral = true
}
module "m" {
  source = "./m"
  e = { a = var.e, b = 1 }
}
# file: m/main.tf
variable "e" {
  type = object({ a = string, b = number })
  ephemeral = true
}
resource "terraform_data" "a" { input = var.e.b }
