moved {
  from = terraform_data.b
  to   = terraform_data.a
}
