variable "e" {
  default   = "x"
  ephemeral = true
}
output "o" { value = [ephemeralasnull(var.e), 1] }
