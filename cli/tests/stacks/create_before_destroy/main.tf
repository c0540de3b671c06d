# step:
# step: -var=v=2
# step: -var=v=3
# step: -destroy

variable "v" { default = 1 }
resource "terraform_data" "a" {
  triggers_replace = var.v
  lifecycle { create_before_destroy = true }
}
resource "terraform_data" "b" { input = terraform_data.a.id }
resource "terraform_data" "c" { 
  triggers_replace = [terraform_data.a.id]
  input = terraform_data.b.id
}
output "a" { value = terraform_data.a.id }
