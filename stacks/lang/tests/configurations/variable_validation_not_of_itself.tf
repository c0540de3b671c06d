variable "b" { default = 3 }
variable "a" {
  default = 1
  validation {
    condition     = 1 < var.b
    error_message = "no"
  }
}
