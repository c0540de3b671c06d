# weir accepts: the value is there before it is validated, so it is no loop
variable "a" {
  default = 1
  validation {
    condition     = var.a + 1 == local.b
    error_message = "no"
  }
}
locals { b = var.a + 1 }
output "b" { value = local.b }
