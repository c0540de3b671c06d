# valid
locals { a = 1 }
check "c" {
 assert {
 condition = local.a == 2
 error_message = "No."
 }
}
