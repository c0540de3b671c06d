# step: -var=n=2
# step: -var=n=4
# step: -var=n=1
# step: -var=n=0
# step: -var=n=3
# step: -destroy -var=n=3

variable "n" {
 type = number
 default = 1
}
resource "terraform_data" "a" {
  count = var.n
  input = "i${count.index}"
}
resource "terraform_data" "b" {
  count = length(terraform_data.a)
  input = terraform_data.a[count.index].id
}
output "ids" { value = terraform_data.a[*].input }
output "n" { value = length(terraform_data.b) }
output "first" { value = try(terraform_data.a[0].output, null) }
output "one" { value = one(slice(terraform_data.a[*].output, 0, min(1, var.n))) }
