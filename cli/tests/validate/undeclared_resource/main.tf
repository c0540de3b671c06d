locals {
  m = {
    a = 1
    b = terraform_data.thing
  }
}
