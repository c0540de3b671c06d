module "m" {
  source = "./m"
  n      = 4
}
# file: m/main.tf
variable "n" {
  type = number
  validation {
    condition     = var.n < local.most
    error_message = "n is ${var.n}"
  }
}
locals { most = 3 }
