output "o" { value = "override" }
