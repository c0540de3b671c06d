resource "terraform_data" "keep" { input = "same" }
resource "terraform_data" "obj" { 
  input = { name = "x", same = 1, list = ["a","b","c"], set = toset(["p","q"]), json = jsonencode({a=1,b=[1,2],c="same"}), multi = "line1\nline2\nline3\n", nested = { deep = { v = 1, w = 2 } } } 
}
resource "terraform_data" "set" { input = toset(["a","b"]) }
resource "terraform_data" "json" { input = jsonencode({a=1,b=[1,2],c="same", d={e=1}}) }
resource "terraform_data" "heredoc" { input = "line1\nline2\nline3\nline4\nline5\n" }
resource "terraform_data" "secret" { input = sensitive("old") }
resource "terraform_data" "rep" { 
  input = 1
  triggers_replace = { a = 1, b = 2 }
}
resource "terraform_data" "tosens" { input = "plain" }
resource "terraform_data" "moved" { input = "m" }
resource "terraform_data" "taint" {}
resource "terraform_data" "trig" {
 lifecycle {
 replace_triggered_by = [terraform_data.obj]
 }
}
resource "terraform_data" "cnt" { count = 2 }
resource "terraform_data" "gone" { input = { k = "v" } }
resource "terraform_data" "typ" { input = "1" }
resource "terraform_data" "nul" { input = "1" }
resource "terraform_data" "forget" { input = "1" }
resource "terraform_data" "list" { input = [{ a = 1, b = "x" }, { a = 2, b = "y" }, { a = 3, b = "z" }] }
module "m" { source = "./m" }
output "o" { value = { a = 1, b = [1, 2] } }
output "s" { 
 value = "secret" 
 sensitive = true 
}
output "dropped" { value = 1 }
output "multi" { value = "a\nb\n" }
