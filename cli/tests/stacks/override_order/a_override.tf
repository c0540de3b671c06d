resource "terraform_data" "a" {
  input            = "a"
  triggers_replace = "a"
}
output "o" { value = "a" }
