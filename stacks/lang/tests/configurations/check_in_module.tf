module "m" {
  source = "./m"
  count  = 2
  n      = count.index
}
# file: m/main.tf
variable "n" {}
check "c" {
  assert {
    condition     = var.n == 0
    error_message = "n is ${var.n}"
  }
}
