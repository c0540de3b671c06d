output "subnet" { value = "real" }
