resource "terraform_data" "a" {}
resource "terraform_data" "b" {
  for_each = { x = terraform_data.a.id, y = 1 }
  input    = each.value
}
