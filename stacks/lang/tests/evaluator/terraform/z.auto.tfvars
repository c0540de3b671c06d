overridden = "z.auto.tfvars"
