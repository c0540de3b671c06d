module "m" { source = "./m" }
resource "terraform_data" "a" { input = module.m }
# file: m/main.tf
output "o" {
  value = "plain"
  ephemeral = true
}
output "p" { value = 1 }
