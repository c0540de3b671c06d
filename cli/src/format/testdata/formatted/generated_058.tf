bb91 = "s"
dynamic "a b" "" {}

