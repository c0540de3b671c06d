variable "e" {
  default   = "x"
  ephemeral = true
}
resource "terraform_data" "a" {
  for_each = { k = ephemeralasnull(var.e) }
  input = each.value
}
