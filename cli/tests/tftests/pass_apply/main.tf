variable "n" {
  default = 1
  validation {
    condition     = var.n < 5
    error_message = "too big"
  }
}
resource "terraform_data" "a" {
  input = var.n
  lifecycle {
    precondition {
      condition     = var.n != 3
      error_message = "three"
    }
  }
}
resource "terraform_data" "b" {
  input = terraform_data.a.id
}
output "o" {
  value = terraform_data.a.output
  precondition {
    condition     = var.n != 4
    error_message = "four"
  }
}
check "c" {
  assert {
    condition     = var.n != 2
    error_message = "two"
  }
}
