# step:
resource "terraform_data" "u" { input = "x" }
resource "terraform_data" "n" { input = 3 }
resource "terraform_data" "l" { input = tolist(["a", "b"]) }
resource "terraform_data" "m" { input = tomap({ a = "x" }) }

locals {
  either = terraform_data.u.output == "x" ? tolist([1]) : tolist([1, 2])
}
output "some" { value = length(local.either) > 0 }
output "most" { value = length(local.either) < 3 }
output "same" { value = length(terraform_data.u.output == "x" ? tolist(["a"]) : tolist(["b"])) }
output "never" { value = length(terraform_data.l.output) < -1 }
resource "terraform_data" "count" {
  count = length(terraform_data.u.output == "x" ? tolist(["a"]) : tolist(["b"]))
}
