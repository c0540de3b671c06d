variable { # why
}
long_name73 = "#//${
  max("s", local.é, 1) # c
~}"
a54 = {} # end