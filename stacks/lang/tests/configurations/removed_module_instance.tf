removed {
  from = module.m["x"].terraform_data.a
}
