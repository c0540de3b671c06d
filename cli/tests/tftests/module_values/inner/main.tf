output "x" { value = "inner" }
