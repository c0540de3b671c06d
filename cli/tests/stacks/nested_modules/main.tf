# step:
# step: -var=d=deep2

variable "d" { default = "deep" }
module "a" {
  source = "./a"
  cfg = { name = var.d, list = [{ k = "1" }, { k = "2", opt = 5 }], m = { x = ["1"] } }
}
output "o" { value = module.a.o }
