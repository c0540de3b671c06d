variable "id" {
  type = string
}
resource "terraform_data" "only" {
  count = var.id == null ? 0 : 1
}
output "given" {
  value = length(terraform_data.only)
}
