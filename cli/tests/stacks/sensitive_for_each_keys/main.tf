# step: !
variable "names" {
  default   = ["a", "b"]
  sensitive = true
}
resource "terraform_data" "r" {
  for_each = toset(var.names)
  input    = each.key
}
