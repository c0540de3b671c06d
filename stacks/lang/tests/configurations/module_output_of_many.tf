module "c" {
  source = "./m"
  count  = 2
}
output "c" { value = module.c.n }
# file: m/main.tf
output "n" { value = 1 }
