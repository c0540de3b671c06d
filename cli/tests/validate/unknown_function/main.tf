locals {
  fn = uper("x")
}
