variable "x" {
  default   = "s"
  sensitive = true
}
check "c" {
  assert {
    condition     = var.x != "s"
    error_message = "it is ${var.x}"
  }
}
