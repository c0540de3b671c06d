moved {
  from = a.b
  to   = a.b["x"]
}
removed {
  from = a.b
  lifecycle {
    destroy = false
  }
}
import {
  for_each = x
  to       = a.b[each.key]
  id       = each.value
}
