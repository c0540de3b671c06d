module "m" { source = "./m" }
output "o" { value = ephemeralasnull(module.m.o) == null }
# file: m/main.tf
output "o" {
  value = "plain"
  ephemeral = true
}
