output "a" {
value=[for k,v in aws_instance.web:v.id
if v.on]
sensitive=true
description=<<-EOT
  Hello
    there
  EOT
}
