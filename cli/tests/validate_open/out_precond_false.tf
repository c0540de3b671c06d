# invalid: 1
locals { on = false }
output "a" {
 value = 1
 precondition {
 condition = local.on
 error_message = "No."
 }
}
