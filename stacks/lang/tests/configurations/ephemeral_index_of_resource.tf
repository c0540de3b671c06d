variable "e" {
  default   = 1
  ephemeral = true
}
resource "terraform_data" "a" {
  count = 2
  input = count.index
}
output "o" { value = ephemeralasnull(terraform_data.a[var.e].input) }
