locals {
  ids = { a = "id-a", b = "id-b" }
}
resource "terraform_data" "one" {}
resource "terraform_data" "many" {
  count = 2
}
resource "terraform_data" "each" {
  for_each = { a = "A", b = "B" }
}
module "m" {
  source   = "./m"
  for_each = local.ids
}
import {
  to = terraform_data.one
  id = "one"
}
import {
  to = terraform_data.many[1]
  id = "many-${1 + 0}"
}
import {
  for_each = local.ids
  to       = terraform_data.each[each.key]
  id       = each.value
}
import {
  for_each = local.ids
  to       = module.m[each.key].terraform_data.a
  id       = "m-${each.value}"
}
# file: m/main.tf
resource "terraform_data" "a" {}
