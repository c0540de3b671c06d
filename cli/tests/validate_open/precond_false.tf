# valid
resource "terraform_data" "a" {
 lifecycle {
 precondition {
 condition = terraform_data.b.input == "q"
 error_message = "No."
 }
 }
}
resource "terraform_data" "b" { input = "z" }
