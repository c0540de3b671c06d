variable "i" { default = 0 }
resource "terraform_data" "a" {
  count = 2
}
resource "terraform_data" "b" {
  depends_on = [terraform_data.a[var.i]]
}
