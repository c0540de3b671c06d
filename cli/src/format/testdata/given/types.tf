variable "x" {
type="string"
}
variable "y" {
type = list
}
variable "z" {
type="map"
 default="${x}"
}
variable "w" {
type="number"
}
variable "l" { type="list" }
variable "s" { type=set }
variable m { type = map /* c */ }
variable "b" { type = bool }
variable "t" { type="${string}" }
x{
variable "x" {
type="string"
}
}
variable "n" {
x {
type = list
}
}
type = list
