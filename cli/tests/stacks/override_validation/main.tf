# step: !
variable "a" { default = 1 }
