resource "terraform_data" "a" {
  count = 2
  input = count.index
  lifecycle {
    precondition {
      condition     = count.index < 2
      error_message = "too many"
    }
    postcondition {
      condition     = self.output == count.index
      error_message = "not as it went in"
    }
    postcondition {
      condition     = self.id != ""
      error_message = "no id"
    }
  }
}
