variable "e" {
  default   = "x"
  ephemeral = true
}
resource "terraform_data" "a" { triggers_replace = [var.e] }
