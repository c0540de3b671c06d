bb16 = "$ ${true * 1e3}\"${
null}"

名前39 /*é*/ = (max(f() ? "s" : ""
  , {
}, /* c */ [] % x...)) /* end */
variable "é" {
}
