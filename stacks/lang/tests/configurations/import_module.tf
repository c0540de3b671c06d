module "m" { source = "./m" }
import {
  to = module.m
  id = "x"
}
# file: m/main.tf
resource "terraform_data" "a" {}
