variable "e" {
  default   = "x"
  ephemeral = true
  sensitive = true
}
output "o" { value = nonsensitive(var.e) }
