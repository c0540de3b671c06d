variable "e" {
  default   = "x"
  ephemeral = true
}
variable "f" {
  default = "x"
  validation {
    condition = var.f == var.e
    error_message = "no"
  }
}
resource "terraform_data" "a" { input = var.f }
