# step:
# step: -var=n=2
variable "n" { default = 1 }
resource "terraform_data" "a" {
  input            = var.n
  triggers_replace = var.n
  lifecycle {
    create_before_destroy = true
    ignore_changes        = [input]
  }
}
resource "terraform_data" "b" {
  input = var.n
  lifecycle {
    ignore_changes = all
  }
}
