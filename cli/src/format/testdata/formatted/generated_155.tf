variable "é" { b = [



] }
dynamic "" {

  long_name45 = 2.5 || provider::x::y( # c
  true ? local.é : 1e3)
  x {
  }
} # end
resource "" {
}
variable "a b" {}
x "a b" "é" {
  a73 = true
  dynamic "bare" "" {}
  variable "a b" {}
  bb33 = "////" # end
}