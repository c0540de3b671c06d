terraform {
  required_version = ">= 1.3, < 2.0.0"
}
terraform {
  required_version = "~> 1.11"
}
output "a" { value = 1 }
