# step: !
resource "terraform_data" "o" { input = { a = "x" } }
output "missing" { value = terraform_data.o.output.b }
