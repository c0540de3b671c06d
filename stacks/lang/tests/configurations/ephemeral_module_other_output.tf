module "m" { source = "./m" }
resource "terraform_data" "a" { input = module.m.p }
# file: m/main.tf
output "o" {
  value = "plain"
  ephemeral = true
}
output "p" { value = 1 }
