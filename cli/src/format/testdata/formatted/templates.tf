a = "${foo + 1}-${ { a = 1 } } %{if x}y%{endif}"
b = <<E
 ${foo + 1}
   ${
foo
}x
 E
c = [<<E
 x
E
, 1]
d      = "é  ${x}" # c
longer = 1         # é
ééé    = 2
e      = 3 #	x	
