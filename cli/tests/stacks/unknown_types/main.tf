# step:
resource "terraform_data" "o" { input = { a = "x", n = 1, l = ["a", 1] } }
output "attribute" { value = terraform_data.o.output.a }
output "number" { value = terraform_data.o.output.n + 1 }
output "element" { value = terraform_data.o.output.l[1] }
output "whole" { value = terraform_data.o.output }
output "text" { value = "n=${terraform_data.o.output.n}" }
