variable "name" { default = "one" }
resource "terraform_data" "a" { input = var.name }
resource "terraform_data" "b" { input = var.name }
output "name" { 
  value = terraform_data.a.output
  precondition {
    condition = var.name != "bad"
    error_message = "bad"
  }
}
