# step:
# step: -var=v=2

variable "v" { default = 1 }
resource "terraform_data" "a" { input = file("${path.module}/x.txt") }
resource "terraform_data" "b" { input = templatefile("${path.module}/t.tpl", { v = var.v, l = ["a", "b"] }) }
resource "terraform_data" "c" { input = [for f in fileset(path.module, "*.txt") : filesha1(f)] }
resource "terraform_data" "d" { input = jsondecode(file("x.json")) }
resource "terraform_data" "e" { input = yamldecode("a: [1, 2, {b: null}]") }
resource "terraform_data" "f" { input = [terraform.workspace, path.root] }
output "d" { value = terraform_data.d.output }
output "e" { value = terraform_data.e.output }
