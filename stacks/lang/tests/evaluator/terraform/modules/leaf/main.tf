variable "name" { type = string }
variable "tags" { type = map(string) }
variable "size" {
  type     = number
  default  = 1
  nullable = false
}
resource "terraform_data" "leaf" {
  input = merge(var.tags, { name = var.name, size = var.size })
}
output "summary" { value = terraform_data.leaf.output }
