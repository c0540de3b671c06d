module "x" {
  source = "./x"
  providers = {
    aws      = aws.west
    aws.east = aws.east
  }
  count = var.on ? 1 : 0
  depends_on = [module.y,
  module.z]
}
