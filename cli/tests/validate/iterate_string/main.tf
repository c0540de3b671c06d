locals {
  x = [for a in "abc" : a]
}
