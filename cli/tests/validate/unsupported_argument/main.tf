resource "terraform_data" "b" {
  inptu = 1
}
