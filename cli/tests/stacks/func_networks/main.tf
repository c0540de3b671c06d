# step:
output "hosts" { value = [cidrhost("10.0.0.0/8", 5), cidrhost("10.0.0.0/8", -1), cidrhost("fd00::/64", 1)] }
output "nets" { value = [cidrsubnet("10.0.0.0/8", 8, 3), cidrsubnet("fd00::/48", 16, 7)] }
output "many" { value = cidrsubnets("10.0.0.0/8", 4, 8, 4) }
output "mask" { value = cidrnetmask("10.0.0.0/12") }
resource "terraform_data" "subnet" {
  for_each = { for i, net in cidrsubnets("10.0.0.0/16", 8, 8) : "s${i}" => net }
  input    = each.value
}
