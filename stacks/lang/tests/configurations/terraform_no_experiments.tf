terraform {
  experiments = []
}
output "a" { value = 1 }
