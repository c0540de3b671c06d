# step:

resource "terraform_data" "a" {
  for_each = { a = "b", b = "" }
  input = each.value
}
resource "terraform_data" "chain" {
  count = 3
  input = count.index == 0 ? "root" : "x${count.index}"
}
locals { all = concat(terraform_data.chain[*].output, [for k in sort(keys(terraform_data.a)) : terraform_data.a[k].output]) }
output "all" { value = local.all }
output "splat" { value = terraform_data.chain.*.output }
output "idx" { value = terraform_data.chain[length(terraform_data.chain) - 1].output }
