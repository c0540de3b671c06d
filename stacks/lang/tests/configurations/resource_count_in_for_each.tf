resource "terraform_data" "b" {
  for_each = toset(["a"])
  input    = count.index
}
