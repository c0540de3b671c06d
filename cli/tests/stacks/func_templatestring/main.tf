# step:
locals { text = "hello $${name}%%{for x in list} $${x}%%{endfor}" }
resource "terraform_data" "u" { input = "x" }
output "known" { value = templatestring(local.text, { name = "ann", list = [1, 2] }) }
output "unknown" { value = templatestring(local.text, { name = terraform_data.u.id, list = [] }) }
