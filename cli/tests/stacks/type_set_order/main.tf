# step:
output "numbers" { value = toset([10, 9, -1]) }
output "objects" { value = toset([{ a = 10 }, { a = 9 }]) }
output "tuples" { value = toset([["b", 1], ["a", 2]]) }
output "texts" { value = toset(["b", "B", "a", "é", "_"]) }
output "nulls" { value = tolist(toset(["b", null, "a"])) }
resource "terraform_data" "each" {
  for_each = toset(["b", "a", "C"])
  input    = each.value
}
