# step: !
resource "terraform_data" "a" {}
