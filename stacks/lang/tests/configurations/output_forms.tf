variable "s" {
  default   = "secret"
  sensitive = true
}
resource "terraform_data" "a" {
  input = "x"
}
module "m" {
  source = "./m"
}
output "plain" {
  value       = terraform_data.a.output
  description = "an output"
  depends_on  = [module.m, terraform_data.a]
}
output "secret" {
  value     = var.s
  sensitive = true
}
output "unknown" { value = terraform_data.a.id }
output "null" { value = null }
output "module" {
  value     = module.m
  sensitive = true
}
# file: m/main.tf
output "s" {
  value     = "inner"
  sensitive = true
}
