resource "terraform_data" "a" {}
resource "terraform_data" "b" {
  for_each = toset(["x", terraform_data.a.id])
}
