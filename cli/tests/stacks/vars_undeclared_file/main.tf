# step:
# step: -var-file=x.tfvars
output "o" { value = 1 }
