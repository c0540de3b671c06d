resource "terraform_data" "a" {
  input = { a = 1, b = { c = 2 } }
  lifecycle {
    ignore_changes        = [input, triggers_replace]
    create_before_destroy = true
    prevent_destroy       = false
  }
}
resource "terraform_data" "b" {
  lifecycle {
    ignore_changes = all
  }
}
