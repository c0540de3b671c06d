module "m" {
  source   = "./m"
  count    = 1
  for_each = {}
}
# file: m/main.tf
output "b" { value = 1 }
