# step:
output "a" { value = true ? [1] : ["a"] }
output "b" { value = [1, "a", true] }
output "c" { value = tolist([1, "a", true]) }
output "d" { value = { a = 1, b = "x" } }
output "e" { value = tomap({ a = 1, b = "x" }) }
output "f" { value = false ? {} : { a = 1 } }
output "g" { value = concat(tolist([1]), tolist(["a"])) }
output "h" { value = [for x in [1, "a"] : x] }
output "i" { value = flatten([[1], ["a"]]) }
output "j" { value = coalesce(null, 1, "a") }
