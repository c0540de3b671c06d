# step: ! -var=s=hush

variable "s" { sensitive = true }
output "x" { value = "a${var.s}" }
