settings = {
  small = {}
  large = { size = 9, tags = { n = 1 } }
}
overridden = "terraform.tfvars"
