resource "terraform_data" "a" {
  life_cycle {
    prevent_destroy = true
  }
}
