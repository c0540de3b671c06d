# valid
variable "x" {
 type = string
 default = null
}
resource "terraform_data" "a" { input = "a-${var.x}" }
