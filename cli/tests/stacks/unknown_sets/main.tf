# step:
resource "terraform_data" "u" { input = "x" }
resource "terraform_data" "n" { input = 3 }
resource "terraform_data" "l" { input = tolist(["a", "b"]) }
resource "terraform_data" "m" { input = tomap({ a = "x" }) }

resource "terraform_data" "two" {
  count = 2
  input = count.index
}
output "set" { value = toset([terraform_data.u.id, "y", "x"]) }
output "ids" { value = toset(terraform_data.two[*].id) }
output "n" { value = length(toset(terraform_data.two[*].id)) }
output "union" { value = setunion(["y"], [terraform_data.u.id]) }
output "subtract" { value = setsubtract(["y"], [terraform_data.u.id]) }
