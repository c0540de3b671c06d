variable "b" { default = 1 }
variable "a" {
  default = []
  validation {
    condition     = length(var.a) > 0 && var.b == 1
    error_message = "a is empty"
  }
}
output "o" { value = var.a[0] }
