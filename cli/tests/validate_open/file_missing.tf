# invalid: 1
output "o" { value = file("nope.txt") }
