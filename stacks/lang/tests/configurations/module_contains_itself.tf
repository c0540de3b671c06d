module "a" { source = "./m" }
# file: m/main.tf
module "a" { source = "../m" }
