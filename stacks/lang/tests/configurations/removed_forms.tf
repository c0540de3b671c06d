removed {
  from = terraform_data.a
}
removed {
  from = module.gone
  lifecycle {
    destroy = false
  }
}
removed {
  from = module.gone.terraform_data.b
  lifecycle {
    destroy = true
  }
}
