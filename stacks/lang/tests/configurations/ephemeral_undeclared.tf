output "o" { value = ephemeral.a.b.c }
