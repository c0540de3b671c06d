variable "n" { default = 1 }
resource "terraform_data" "a" {
  input = var.n
}
check "known" {
  assert {
    condition     = var.n == 1
    error_message = "n is ${var.n}"
  }
  assert {
    condition     = terraform_data.a.output == 1
    error_message = "a is ${terraform_data.a.output}"
  }
}
check "unknown" {
  assert {
    condition     = terraform_data.a.id == "x"
    error_message = "never"
  }
}
