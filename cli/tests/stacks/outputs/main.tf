# step:
# step: -var=v=2
# step: -var=v=null
# Terraform differs: Terraform shows sensitive values in the JSON of a plan, weir never does.

variable "v" { default = 1 }
output "a" { value = var.v }
output "b" { value = [var.v] }
output "c" { value = { x = var.v, y = { z = [var.v, var.v] } } }
output "d" { 
 value = var.v 
 sensitive = true 
}
output "e" { 
 value = "x" 
 description = "desc"
}
