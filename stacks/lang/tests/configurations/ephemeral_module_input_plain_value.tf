module "m" {
  source = "./m"
  e = "plain"
}
# file: m/main.tf
variable "e" { ephemeral = true }
resource "terraform_data" "a" { input = var.e }
