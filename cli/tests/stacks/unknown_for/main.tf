# step:
resource "terraform_data" "u" { input = "x" }
resource "terraform_data" "n" { input = 3 }
resource "terraform_data" "l" { input = tolist(["a", "b"]) }
resource "terraform_data" "m" { input = tomap({ a = "x" }) }

output "list" { value = [for x in [1, 2] : "${x}-${terraform_data.u.output}"] }
output "map" { value = { for k in ["a", "b"] : k => terraform_data.u.id } }
output "keyed" { value = { for k in ["a", terraform_data.u.output] : k => 1 } }
output "filtered" { value = [for x in ["a", "b"] : x if x == terraform_data.u.output] }
output "over" { value = [for x in terraform_data.l.output : upper(x)] }
