variable "e" {
  default   = "x"
  ephemeral = true
}
provider "terraform" {}
resource "terraform_data" "a" { input = "a" }
