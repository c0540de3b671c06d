# invalid: 1
resource "terraform_data" "a" {
 count = 0
 input = 1 + "a"
}
