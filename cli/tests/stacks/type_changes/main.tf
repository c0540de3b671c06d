# step:
# step: -var=v="x"
# step: -var=v=[1,2]
# step: -var=v={a=1}
# step: -var=v={a=1,b=null}
# step: -var=v=null
# step: -var=v=true
# step: -var=v=["a"]
# Terraform differs: Terraform plans an unknown output for a null input.

variable "v" { 
 type = any
 default = 1 
}
resource "terraform_data" "a" { input = var.v }
resource "terraform_data" "b" { triggers_replace = var.v }
output "o" { value = terraform_data.a.output }
