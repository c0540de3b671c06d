# step: -var=n=5 -var=b=true -var=s=5 -var=a=true
# step: -var=n=1e3 -var=b=false -var=s= -var=a=[1]
# step: ! -var=n=five -var=b=true -var=s=x -var=a=1
# step: ! -var=n=1 -var=b=yes -var=s=x -var=a=1
variable "n" { type = number }
variable "b" { type = bool }
variable "s" { type = string }
variable "a" { type = any }
variable "z" {
  type     = string
  default  = "z"
  nullable = false
}
output "o" { value = [var.n, var.b, var.s, var.a, var.z] }
