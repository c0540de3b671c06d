# valid
variable "x" {
 default = 1
 validation {
 condition = var.x > 5
 error_message = "Too small."
 }
}
