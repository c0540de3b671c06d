module "m" { source = "./m" }
# file: m/main.tf
output "o" {
  value = 1
  ephemeral = 1 == 1
}
