# step:
# step: -replace=terraform_data.a
# step: -replace=terraform_data.b[0] -replace=terraform_data.b[1]
# step: -replace=terraform_data.c["x"]

resource "terraform_data" "a" {}
resource "terraform_data" "b" { 
 count = 2 
 input = terraform_data.a.id
}
resource "terraform_data" "c" { 
 for_each = toset(["x","y"])
 triggers_replace = terraform_data.b[*].id
}
