module "m" { source = "./m" }
# file: m/main.tf
removed {
  from = terraform_data.gone
  lifecycle {
    destroy = false
  }
}
