# step: !
variable "secret" {
  default   = "hush"
  sensitive = true
}
output "leak" { value = "a-${var.secret}" }
