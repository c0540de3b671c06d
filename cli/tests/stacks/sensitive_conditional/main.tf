# step:
# Terraform differs: an output that will be sensitive is planned as one here.
variable "on" {
  default   = true
  sensitive = true
}
variable "secret" {
  default   = "hush"
  sensitive = true
}
resource "terraform_data" "a" { input = var.on ? "a" : "b" }
resource "terraform_data" "b" { input = true ? "open" : var.secret }
resource "terraform_data" "c" { input = [for x in ["a", "b"] : x if var.on] }
resource "terraform_data" "d" { input = "x-${var.secret}-y" }
resource "terraform_data" "e" { input = ["a", "b"][var.on ? 0 : 1] }
