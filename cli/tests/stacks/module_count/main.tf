# step: -var=n=2
# step: -var=n=1
# step: -var=n=0

variable "n" { type = number }
module "m" {
  source = "./m"
  count = var.n
  name = "x${count.index}"
}
output "m" { value = module.m[*].out }
output "whole" { value = module.m }
