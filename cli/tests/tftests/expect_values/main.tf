variable "n" { 
  default = 1
  validation {
    condition = var.n < 5
    error_message = "too much"
  }
}
resource "terraform_data" "a" { input = "n${var.n}" }
resource "terraform_data" "b" {
  input = terraform_data.a.input
  lifecycle {
    precondition {
      condition = var.n < 3
      error_message = "b is too much"
    }
  }
}
resource "terraform_data" "c" { input = terraform_data.b.input }
check "c" {
  assert {
    condition = var.n < 2
    error_message = "checked"
  }
}
output "o" { 
  value = terraform_data.a.input
  precondition {
    condition = var.n != 4
    error_message = "four"
  }
}
