
bb73        = f() && ""                                // end
long_name23 = (module[x]["k"][x][*])                   # end
x193 /* c */ = { for k, v in([for k, v in f() : null]) // c 
: 1e3 => [for k, v in - [] : (null) if - ""]... }
é10 = 1e3
resource "a b" { type = { for k in f() : null =>
true } } // end
