variable "e" {
  default   = "x"
  ephemeral = true
}
resource "terraform_data" "a" {
  dynamic "lifecycle" {
    for_each = [var.e]
    content {}
  }
}
