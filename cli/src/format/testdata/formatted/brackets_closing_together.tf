a = foo([{
  b = 1
}])
c = foo(bar([
  1,
  2
]))
d = {
  e = [{
    f = 1
    }, {
    g = 2
  }]
}
