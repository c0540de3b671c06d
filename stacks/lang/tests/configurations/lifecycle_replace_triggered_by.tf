resource "terraform_data" "a" {
  count = 2
}
resource "terraform_data" "k" {
  for_each = toset(["x", "y"])
}
resource "terraform_data" "one" {
  input = { deep = [1, 2] }
}
resource "terraform_data" "b" {
  count = 2
  lifecycle {
    replace_triggered_by = [
      terraform_data.a[count.index],
      terraform_data.a,
      terraform_data.a[0].output,
      terraform_data.one,
      terraform_data.one.input.deep[0],
      terraform_data.k["x"].id,
    ]
  }
}
resource "terraform_data" "c" {
  for_each = toset(["x", "y"])
  lifecycle {
    replace_triggered_by = [terraform_data.k[each.key]]
  }
}
