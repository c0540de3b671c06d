variable "offer" { type = any }
output "hosts" { value = [] }
