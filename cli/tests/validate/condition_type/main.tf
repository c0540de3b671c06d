locals {
  n   = 5
  cnd = local.n ? 1 : 2
}
