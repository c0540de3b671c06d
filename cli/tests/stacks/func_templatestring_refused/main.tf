# step: !
output "a" { value = templatestring("hello $${name}", { name = "x" }) }
