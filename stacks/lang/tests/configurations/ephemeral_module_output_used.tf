module "m" { source = "./m" }
resource "terraform_data" "a" { input = module.m.o }
# file: m/main.tf
output "o" {
  value = "plain"
  ephemeral = true
}
