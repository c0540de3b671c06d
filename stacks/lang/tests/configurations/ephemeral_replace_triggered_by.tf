variable "e" {
  default   = "x"
  ephemeral = true
}
resource "terraform_data" "a" {
  lifecycle {
    replace_triggered_by = [var.e]
  }
}
