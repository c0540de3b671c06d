# step:
# step: ! -var=v=2
# step: ! -destroy

variable "v" { default = 1 }
resource "terraform_data" "a" {
  triggers_replace = var.v
  lifecycle { prevent_destroy = true }
}
