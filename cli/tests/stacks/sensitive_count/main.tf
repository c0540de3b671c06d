# step:
variable "n" {
  default   = 2
  sensitive = true
}
resource "terraform_data" "r" { count = nonsensitive(var.n) }
output "n" { value = length(terraform_data.r) }
