variable "x" { default = 1 }
module "m" {
  source     = "./m"
  depends_on = [var.x]
}
# file: m/main.tf
output "b" { value = 1 }
