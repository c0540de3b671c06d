module "c" {
  source = "./m"
}
output "c" { value = module.c.nope }
# file: m/main.tf
output "n" { value = 1 }
