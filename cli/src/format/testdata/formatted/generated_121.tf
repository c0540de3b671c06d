#
dynamic "label" {
  each-key72 = /* c */ null # end
}
x130 = max(/*é*/ "\"${~1e3}% %{if "s"}%{endif~}")
variable "a b" "é" {

}
