# valid
variable "z" {
 type = object({a=string})
 default = null
}
output "o" { value = var.z.a }
