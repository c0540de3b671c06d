# step: -target=terraform_data.b
# step: -var=v=2 -target=terraform_data.b
# step: -var=v=2
# step: -var=v=3 -target=module.m
# step: -target=terraform_data.c[0] -var=v=4
# step: -destroy -target=terraform_data.a

variable "v" { default = 1 }
resource "terraform_data" "a" { input = var.v }
resource "terraform_data" "b" { input = terraform_data.a.output }
resource "terraform_data" "c" { 
 count = 2
 input = var.v 
}
module "m" { 
 source = "./m" 
 v = var.v
}
output "a" { value = terraform_data.a.output }
output "c" { value = terraform_data.c[*].output }
output "m" { value = module.m.o }
output "v" { value = var.v }
