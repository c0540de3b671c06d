# valid
locals { on = false }
resource "terraform_data" "a" {
 lifecycle {
 precondition {
 condition = local.on
 error_message = "No."
 }
 }
}
