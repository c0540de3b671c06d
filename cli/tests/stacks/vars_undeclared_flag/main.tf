# step: ! -var=nope=1
output "o" { value = 1 }
