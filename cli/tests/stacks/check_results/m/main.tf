variable "x" { 
 default = 1
 validation {
   condition = var.x == 1
   error_message = "one"
 }
}
resource "terraform_data" "i" {
  for_each = {a = 1}
  lifecycle { 
    precondition {
      condition = each.value == 1
      error_message = "one"
    }
  }
}
check "c" {
  assert {
    condition = terraform_data.i["a"].id == "nope"
    error_message = "inner"
  }
}
