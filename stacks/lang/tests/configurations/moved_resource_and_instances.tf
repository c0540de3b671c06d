resource "terraform_data" "b" {
  count = 2
  input = count.index
}
resource "terraform_data" "d" {
  for_each = { x = 1, y = 2 }
  input    = each.value
}
moved {
  from = terraform_data.a
  to   = terraform_data.b
}
moved {
  from = terraform_data.c[0]
  to   = terraform_data.d["x"]
}
moved {
  from = terraform_data.c[1]
  to   = terraform_data.d["y"]
}
