variable "e" {
  default   = "x"
  ephemeral = true
}
output "o" {
  value = 1
  precondition {
    condition = var.e == "y"
    error_message = "no"
  }
}
