# step: ! -var=v=50
# step: -var=v=1
# step: ? -var=v=8
# step: -var=v=1

variable "v" { type = number }
resource "terraform_data" "a" {
  input = var.v
  lifecycle {
    precondition {
      condition = var.v < 10
      error_message = "too big ${var.v}"
    }
    postcondition {
      condition = self.output < 5
      error_message = "too big now ${self.output}"
    }
  }
}
resource "terraform_data" "after" { input = terraform_data.a.output }
