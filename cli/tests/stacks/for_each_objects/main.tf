# step: -var=m={a={x=1},b={x=2,y="q"}}
# step: -var=m={a={x=3}}

variable "m" { type = map(object({ x = number, y = optional(string, "def"), z = optional(list(string)) })) }
resource "terraform_data" "a" {
  for_each = var.m
  input = each.value
  triggers_replace = [each.value.y, each.value.z]
}
output "m" { value = var.m }
output "o" { value = terraform_data.a }
