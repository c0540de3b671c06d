# step:
variable "s" {
  type    = string
  default = 5
}
variable "n" {
  type    = number
  default = "5.50"
}
variable "b" {
  type    = bool
  default = "true"
}
variable "l" {
  type    = list(string)
  default = [1, true, "x"]
}
variable "set" {
  type    = set(number)
  default = ["2", 1, 2]
}
variable "m" {
  type    = map(string)
  default = { a = 1, b = true }
}
variable "t" {
  type    = tuple([string, number])
  default = [1, "2"]
}
variable "any" {
  type    = list(any)
  default = [1, "x"]
}
output "all" { value = [var.s, var.n, var.b, var.l, var.set, var.m, var.t, var.any] }
