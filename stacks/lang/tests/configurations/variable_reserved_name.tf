variable "source" { default = 1 }
