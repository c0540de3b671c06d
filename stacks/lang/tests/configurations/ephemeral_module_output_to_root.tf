module "m" { source = "./m" }
output "o" { value = module.m.o }
# file: m/main.tf
output "o" {
  value = "plain"
  ephemeral = true
}
