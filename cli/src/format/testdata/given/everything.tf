# a comment at the start
stack   "quick start"    {}

variable "x" {
type=object({
a=string,bb = optional( number , 3 )
})
    default = { a="x" } # trailing
  description="short" // other
nullable=false
}
locals {
  a=1
  long_name=2 # one
  b = 3    # two
  # between
  c    = -1
  d = a-1
  e = !true&&(1+2)*3>=4||5!=6?"x":"y"
  f = {for k,v in {a=1}:upper(k)=>v if v!=null}
  ff = [ for k in [ 1 ] : k ]
  g = {for k in [1,2]:k=>{n=k,"m"=k}...}
  h = foo[0].bar["x"].baz[*].id
  i = foo.*.id
  j = [1,2 , 3]
  k = max([1,2]...)
  l = "${a}-${upper("x${b}")}$${no}"
  m = <<-EOT
     kept   as it is
       ${a}
  EOT
  n = [
  1,
      2,
  ]
  o = { x = 1, y : 2 }
  p = provider::foo::bar(1)
  q = a == -b ? - 1 : 2.5e-3
}

resource "fake_thing" "a"{
    name="a"
  tags={
    a="1"
 long_key = "2"

 c = "3"
  }
  depends_on=[ fake_thing.b ,fake_thing.c ]


  disk{
  name = "root"
  }
lifecycle { ignore_changes=[tags] }
  list = [{
    a = 1
  }, {
    b = 2
  }]
  f = jsonencode({
    a = [
      1
    ]
  })
}
output "o" { value=1 }
