# step:
resource "terraform_data" "u" { input = "x" }
resource "terraform_data" "n" { input = 3 }
resource "terraform_data" "l" { input = tolist(["a", "b"]) }
resource "terraform_data" "m" { input = tomap({ a = "x" }) }

output "starts" { value = startswith("https://${terraform_data.u.output}/", "https://") }
output "differs" { value = "a-${terraform_data.u.output}" == "b-x" }
output "json" { value = startswith(jsonencode({ a = terraform_data.u.output }), "{") }
resource "terraform_data" "count" {
  count = startswith("https://${terraform_data.u.output}", "http:") ? 0 : 1
  input = "secure"
}
