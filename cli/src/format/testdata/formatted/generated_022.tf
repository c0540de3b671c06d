x "a b" /* c */ {
}
dynamic "bare" {
  名前29 = [x, ]
  dynamic {} # end
} /* end */
名前6 = { for k in "${~ {} }" : x => ([] /* c */) // c 
} /* end */
long_name10 /* c */ = local.é != [] % 1e3
