resource "terraform_data" "a" {
  lifecycle {
    ignore_changes = [triggers_replace]
  }
}
resource "terraform_data" "b" {
  lifecycle {
    create_before_destroy = true
    ignore_changes        = []
  }
}
