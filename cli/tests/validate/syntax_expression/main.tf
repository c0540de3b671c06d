locals {
  a = 1
  é = "ü${ = }"
  b = 2
}
