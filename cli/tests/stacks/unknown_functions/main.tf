# step:
resource "terraform_data" "u" { input = "x" }
resource "terraform_data" "n" { input = 3 }
resource "terraform_data" "l" { input = tolist(["a", "b"]) }
resource "terraform_data" "m" { input = tomap({ a = "x" }) }

output "keys" { value = keys({ a = terraform_data.u.id, b = 1 }) }
output "values" { value = values({ a = terraform_data.u.id, b = 1 }) }
output "lookup" { value = lookup({ a = terraform_data.u.id, b = "k" }, "b", "d") }
output "merge" { value = merge({ a = terraform_data.u.id }, { b = 1 }) }
output "zipmap" { value = zipmap(["a", "b"], [terraform_data.u.id, 1]) }
output "flatten" { value = flatten([[terraform_data.u.id], [["b"]]]) }
output "concat" { value = concat([terraform_data.u.id], ["b"]) }
output "element" { value = element(["a", terraform_data.u.id], 0) }
output "contains" { value = contains(["a", terraform_data.u.id], "a") }
output "format" { value = format("x-%s", terraform_data.u.id) }
output "coalesce" { value = coalesce(terraform_data.u.output, "d") }
output "try" { value = try(terraform_data.u.output, "d") }
output "can" { value = can(terraform_data.u.output) }
