variable "x" {
 type = number
 validation {
 condition = var.x > 5
 error_message = "Too small."
 }
}
output "y" { value = var.x }
