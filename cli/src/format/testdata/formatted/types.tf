variable "x" {
  type = string
}
variable "y" {
  type = list(any)
}
variable "z" {
  type    = map(string)
  default = x
}
variable "w" {
  type = "number"
}
variable "l" { type = list(string) }
variable "s" { type = set(any) }
variable "m" { type = map(any) /* c */ }
variable "b" { type = bool }
variable "t" { type = "${string}" }
x {
  variable "x" {
    type = "string"
  }
}
variable "n" {
  x {
    type = list
  }
}
type = list
