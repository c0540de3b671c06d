# weir refuses: it is read before anything is evaluated
variable "e" {
  default = 1
  ephemeral = 1 == 1
}
