# step:

resource "terraform_data" "a" { input = tolist([1, 2]) }
resource "terraform_data" "b" { input = toset(["b", "a"]) }
resource "terraform_data" "c" { input = tomap({ a = 1 }) }
resource "terraform_data" "d" { input = [1, "a", true, null] }
resource "terraform_data" "e" { input = true }
resource "terraform_data" "f" { input = 1.5e3 }
resource "terraform_data" "g" { input = 12345678901234567890.123 }
resource "terraform_data" "h" { input = toset([{ a = 1, b = "x" }, { a = 2, b = "y" }]) }
resource "terraform_data" "i" { input = toset([]) }
resource "terraform_data" "j" { input = tomap({}) }
resource "terraform_data" "k" { input = "multi\nline\n" }
output "a" { value = terraform_data.a.output }
output "b" { value = terraform_data.b.output }
output "c" { value = terraform_data.c.output }
output "d" { value = terraform_data.d.output }
output "e" { value = terraform_data.e.output }
output "f" { value = terraform_data.f.output }
output "g" { value = terraform_data.g.output }
output "h" { value = terraform_data.h.output }
output "i" { value = terraform_data.i.output }
output "j" { value = terraform_data.j.output }
output "k" { value = terraform_data.k.output }
output "set" { value = toset(["z","y"]) }
output "emptyset" { value = toset([]) }
output "map" { value = tomap({a=true}) }
output "obj" { value = {a=true,b=[1]} }
output "tuple" { value = ["a", 1] }
output "list" { value = tolist([1]) }
output "num" { value = 0.1 }
output "big" { value = 1e30 }
output "t" { value = "x" }
