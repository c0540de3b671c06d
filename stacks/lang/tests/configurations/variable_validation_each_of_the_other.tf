# weir accepts: values are there before they are validated, so it is no loop
variable "a" {
  default = 1
  validation {
    condition     = var.a < var.b
    error_message = "a must be less than b"
  }
}
variable "b" {
  default = 2
  validation {
    condition     = var.a < var.b
    error_message = "b must be more than a"
  }
}
