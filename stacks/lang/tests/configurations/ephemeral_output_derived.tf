variable "e" {
  default   = "x"
  ephemeral = true
}
output "o" { value = length(var.e) }
