locals {
  list = ["a", "b"]
  n    = 5
  bad  = local.list[local.n]
}
