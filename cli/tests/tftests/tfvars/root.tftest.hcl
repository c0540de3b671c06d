variables {
  d = "file"
}
run "values" {
  command = plan
  assert {
    condition     = var.a == "x"
    error_message = "a ${var.a} b ${var.b} c ${var.c} d ${var.d} e ${var.e}"
  }
}
run "references" {
  command = plan
  variables {
    b = "${var.a}!"
  }
  assert {
    condition     = var.a == "x"
    error_message = "b ${var.b}"
  }
}
