# step:
# step: -var=v=5

variable "v" { default = 1 }
resource "terraform_data" "a" {
  input = var.v
  lifecycle {
    precondition {
      condition = var.v < 10
      error_message = "too big"
    }
    postcondition {
      condition = self.output < 10
      error_message = "too big"
    }
  }
}
output "o" {
  value = terraform_data.a.output
  precondition {
    condition = var.v < 10
    error_message = "too big"
  }
}
