variable "min" { default = 1 }
variable "max" {
  default = 3
  validation {
    condition     = var.max > var.min
    error_message = "max must be more than ${var.min}"
  }
}
locals { twice = var.max * 2 }
variable "late" {
  default = 6
  validation {
    condition     = var.late == local.twice
    error_message = "late is not twice max"
  }
  validation {
    condition     = terraform_data.a.id != var.late
    error_message = "never"
  }
}
resource "terraform_data" "a" {
  input = var.min
}
output "late" { value = var.late }
