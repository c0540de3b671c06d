名前38 = { for k in {} : 2.5 => { for k, v in null ? // c 
{} : null : 1 => [for k, v in f() : {}] }... } /* end */
each-key72 = x % !""
# a line
bb73 = !x

