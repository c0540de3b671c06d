# step:
# step: -var=v=2

variable "v" { default = 1 }
resource "terraform_data" "a" { triggers_replace = var.v }
resource "terraform_data" "b" { input = terraform_data.a.id == "" ? "x" : "y" }
resource "terraform_data" "c" { input = { id = terraform_data.a.id, l = [for x in [1,2] : "${terraform_data.a.id}-${x}"] } }
resource "terraform_data" "d" { input = coalesce(terraform_data.a.output, "dflt") }
resource "terraform_data" "e" { input = length(terraform_data.a.id) > 0 ? [1] : [2] }
resource "terraform_data" "f" { input = { (var.v) = terraform_data.a.id } }
resource "terraform_data" "g" { input = split("-", terraform_data.a.id)[0] == "" }
resource "terraform_data" "h" { input = jsonencode({a = terraform_data.a.id}) == "" }
resource "terraform_data" "i" { input = toset([terraform_data.a.id == "", "x"]) }
output "b" { value = terraform_data.b.output }
output "i" { value = terraform_data.i.output }
