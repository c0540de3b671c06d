# step: !
output "o" { value = 1 }
