# step: ! -var-file=nope.tfvars
output "o" { value = 1 }
