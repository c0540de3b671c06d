each-key0 = { 名前0 /* c */ : ([for k, v in 2.5 : {}]), bb1 : max( // c 
  max(                                                           # c
  [], /* c */ 1)
  , null ?
  1e3 : null... # c
), é2 : é.a[x].a[*], }
bb4 = -f() // end

名前8 = (/*é*/ [for k, v in max([]
  ,    # c
  null // c 
, f()) : 1e3 - var.a])
