output "v" {
  value = 0
}
