# step:
resource "terraform_data" "a" {
  input            = "base"
  triggers_replace = "base"
}
output "o" { value = "base" }
