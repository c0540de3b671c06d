# valid
variable "x" { default = "a" }
resource "terraform_data" "a" { input = var.x + 1 }
