module "m" {
  source = "./m"
  n      = 3
}
# file: m/main.tf
variable "n" {
  type = number
  validation {
    condition     = var.n == terraform_data.a.output
    error_message = "n is ${var.n}"
  }
}
resource "terraform_data" "a" {
  input = 3
}
output "n" { value = var.n }
