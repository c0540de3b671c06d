variable "a" {
  default    = 1
  deprecated = "use b"
}
