# step:
resource "terraform_data" "u" { input = "x" }
resource "terraform_data" "n" { input = 3 }
resource "terraform_data" "l" { input = tolist(["a", "b"]) }
resource "terraform_data" "m" { input = tomap({ a = "x" }) }

locals { size = terraform_data.u.output == "x" ? 2 : 5 }
output "above" { value = local.size > 1 }
output "below" { value = local.size < 10 }
output "open" { value = local.size > 2 }
output "not" { value = local.size == 7 }
