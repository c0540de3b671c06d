module "new" {
  source   = "./m"
  for_each = toset(["a"])
}
moved {
  from = module.old
  to   = module.new["a"]
}
moved {
  from = module.older["x"].terraform_data.z
  to   = module.new["a"].terraform_data.a
}
# file: m/main.tf
resource "terraform_data" "a" {}
resource "terraform_data" "loose" {}
moved {
  from = terraform_data.inner
  to   = terraform_data.loose
}
