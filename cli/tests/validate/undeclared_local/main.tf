output "o" {
  value = [local.nope, 1]
}
