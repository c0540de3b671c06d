# valid
locals { on = false }
resource "terraform_data" "a" {
 count = local.on ? 1 : 0
 lifecycle {
 precondition {
 condition = local.on
 error_message = "No."
 }
 }
}
