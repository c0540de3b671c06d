resource "terraform_data" "inner" { input = "inner" }
output "o" { value = terraform_data.inner.output }
