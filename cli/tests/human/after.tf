resource "terraform_data" "keep" { input = "same" }
resource "terraform_data" "obj" { 
  input = { name = "y", same = 1, list = ["a","c","d"], set = toset(["p","r"]), json = jsonencode({a=2,b=[1,3],c="same"}), multi = "line1\nline2 changed\nline3\n", nested = { deep = { v = 2, w = 2 } }, extra = true } 
}
resource "terraform_data" "set" { input = toset(["a","c"]) }
resource "terraform_data" "json" { input = jsonencode({a=2,b=[1,2,3],c="same", d={e=2}}) }
resource "terraform_data" "heredoc" { input = "line1\nline2\nline3x\nline4\nline5\n" }
resource "terraform_data" "secret" { input = sensitive("new") }
resource "terraform_data" "rep" { 
  input = 2
  triggers_replace = { a = 1, b = 3 }
}
resource "terraform_data" "tosens" { input = sensitive("plain") }
resource "terraform_data" "moved2" { input = "m" }
moved { 
 from = terraform_data.moved
 to = terraform_data.moved2
}
resource "terraform_data" "taint" {}
resource "terraform_data" "trig" {
 lifecycle {
 replace_triggered_by = [terraform_data.obj]
 }
}
resource "terraform_data" "cnt" { count = 1 }
resource "terraform_data" "typ" { input = 1 }
resource "terraform_data" "nul" { input = null }
removed { 
 from = terraform_data.forget 
 lifecycle {
 destroy = false
 }
}
resource "terraform_data" "list" { input = [{ a = 1, b = "x" }, { a = 3, b = "z" }, { a = 4, b = terraform_data.keep.id }] }
resource "terraform_data" "imp" { input = "i" }
import { 
 to = terraform_data.imp
 id = "imported-id" 
}
resource "terraform_data" "imp2" { }
import { 
 to = terraform_data.imp2
 id = "imported-id2" 
}
resource "terraform_data" "new" { input = { a = terraform_data.obj.output, "quoted key" = "x", n = null } }
output "o" { value = { a = 2, b = [1, 2] } }
output "s" { 
 value = "secret2" 
 sensitive = true 
}
output "new" { value = terraform_data.new.id }
output "multi" { value = "a\nc\n" }
