variable "e" {
  default   = "x"
  ephemeral = true
}
output "o" { value = { a = [var.e] } }
