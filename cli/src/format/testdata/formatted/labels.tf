resource "a" "c" {}
resource "a" "b" /* z */ {}
resource "aA\"é" "" {}
provider "aws" {
}
x "a" "b" {}
