variable "x" { default = 1 }
output "o" {
  value = var.x
  precondition {
    condition     = var.x == 1
    error_message = "no"
  }
}
