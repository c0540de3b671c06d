a = jsonencode(<<EOT
{
 "a": [
}
EOT
)
b = foo(<<E
((((
E
, [
1])
c = [
<<E
 x
E
,
<<-E
   y
   E
]
d = { a = <<E
 }
E
 b = 2
}
