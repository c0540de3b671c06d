resource "a" /* x */ "c" {}
resource /* y */ a b /* z */ {}
resource "a\u0041\"é" "" {}
provider aws {
}
x   "a"    b{}
