variable "n" { type = number }
module "q" {
 source = "../m"
 count = var.n
 x = "a${count.index}b"
}
resource "terraform_data" "z" {
 count = var.n
 input = 1 - "b"
}
