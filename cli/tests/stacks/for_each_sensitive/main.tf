# step: ! -var=s=["a"]

variable "s" { 
 type = set(string) 
 sensitive = true
}
resource "terraform_data" "b" { for_each = var.s }
