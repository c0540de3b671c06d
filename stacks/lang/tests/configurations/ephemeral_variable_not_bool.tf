variable "e" {
  default = 1
  ephemeral = "yes"
}
